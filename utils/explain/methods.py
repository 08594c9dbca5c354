"""The methods, one row each: all that the program knows of a method stands here, and nowhere else."""

from typing import Callable, NamedTuple, Optional, Tuple

import numpy as np

from utils.explain import heat


class Method(NamedTuple):
    """A way to compute heat.

    Attributes:
      name: by which flags and files call it.
      title: by which people read it.
      needs: names of the quantities that the formula takes, in its order; `classifier.QUANTITIES` lists them.
      formula: function of these quantities of B clouds, and of the options -> heat, float array [B, N].
      colour, marker: of its curves and bars in figures.
      options: names of the options that the formula takes: "pooling", "power", or "rngs".
      votes: rotations under which the dropping loop classifies, unless told otherwise.
      drop_mode: which points the dropping loop drops, unless told otherwise.
      script: the script that explains by it, if any.
      is_baseline: whether it draws its heat by chance: figures show it pale and dashed.
    """

    name: str
    title: str
    needs: Tuple[str, ...]
    formula: Callable
    colour: str
    marker: str
    options: Tuple[str, ...] = ()
    votes: int = 100
    drop_mode: str = "+midrange"
    script: Optional[str] = None
    is_baseline: bool = False

    def heat(self, classifier, clouds, labels, rngs=None, **options):
        """Heat of several clouds.

        Args:
          classifier: what has the quantities: a classifier.Classifier, or anything with its `quantities`.
          clouds: float32 array [B, N, 3].
          labels: class c of each, int array [B], or one int for all.
          rngs: list of B numpy RandomStates, for methods that draw.
          options: pooling ("max" or "avg") and power (alpha of ASM); those that the formula does not take do nothing.

        Returns:
          float32 array [B, N].
        """
        taken = {name: value for name, value in options.items() if name in self.options}
        heats, start = [], 0
        for quantities in classifier.quantities(self.needs, clouds, labels):
            if "rngs" in self.options:
                taken["rngs"] = rngs[start:]
            heats.append(self.formula(*quantities, **taken))
            start += len(heats[-1])
        return np.concatenate(heats)


# Colours are told apart without colour vision (Okabe and Ito), markers in black and white.
METHODS = {
    method.name: method
    for method in (
        Method(
            "p-grad-cam",
            title="p-grad-CAM",
            needs=("features", "feature_gradients"),
            formula=heat.p_grad_cam,
            options=("pooling",),
            votes=500,
            script="p_grad_CAM.py",
            colour="#0072B2",
            marker="o",
        ),
        Method(
            "asm",
            title="ASM",
            needs=("points", "loss_gradients"),
            formula=heat.asm,
            options=("power",),
            drop_mode="top",
            script="ASM.py",
            colour="#D55E00",
            marker="s",
        ),
        Method(
            "grad-cam",
            title="Grad-CAM",
            needs=("features", "feature_gradients"),
            formula=heat.grad_cam,
            colour="#009E73",
            marker="^",
        ),
        Method(
            "hirescam",
            title="HiResCAM",
            needs=("features", "feature_gradients"),
            formula=heat.hirescam,
            colour="#CC79A7",
            marker="v",
        ),
        Method(
            "gradient-x-input",
            title="gradient x input",
            needs=("points", "logit_gradients"),
            formula=heat.gradient_x_input,
            colour="#E69F00",
            marker="D",
        ),
        Method(
            "integrated-gradients",
            title="integrated gradients",
            needs=("points", "logit_gradients_of"),
            formula=heat.integrated_gradients,
            colour="#56B4E9",
            marker="P",
        ),
        Method(
            "feature-norm",
            title="feature norm",
            needs=("features",),
            formula=heat.feature_norm,
            colour="#000000",
            marker="X",
        ),
        Method(
            "critical",
            title="critical points",
            needs=("features",),
            formula=heat.critical,
            colour="#B8A800",
            marker="<",
        ),
        Method(
            "random",
            title="random",
            needs=("points",),
            formula=heat.random,
            options=("rngs",),
            colour="0.55",
            marker="",
            is_baseline=True,
        ),
    )
}

# Those that have a script of their own: the pair that this program began with.
SCRIPTED = tuple(name for name, method in METHODS.items() if method.script)
