"""The methods, one row each: all that the program knows of a method stands here, and nowhere else."""

from typing import Callable, NamedTuple, Optional, Tuple

import numpy as np

from utils.explain import centres, heat, removal, runner_up
from utils.files import InputError

# What brings heat from the rows of the feature map to the points.
ROWS_TO_POINTS = ("feature_points", "points")


class Method(NamedTuple):
    """A way to compute heat.

    Attributes:
      name: by which flags and files call it.
      title: by which people read it.
      needs: names of the quantities that the formula takes, in its order; `classifier.QUANTITIES` lists them.
      formula: function of these quantities of B clouds, and of the options -> heat, float array [B, N]; where it needs
        the features, heat of their rows [B, M], which `heat` brings to the points.
      colour, marker: of its curves and bars in figures.
      options: names of the options that the formula takes: "pooling", "power", "path_refresh", "places" or "rngs".
      votes: rotations under which the dropping loop classifies, unless told otherwise.
      drop_mode: which points the dropping loop drops, unless told otherwise.
      script: the script that explains by it, if any.
      is_slow: whether it asks the network many times for one heat, so that comparisons which take heat anew in every
        round leave it out unless it is named.
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
    is_slow: bool = False
    is_baseline: bool = False

    def heat(self, classifier, clouds, labels, rngs=None, is_target=False, places=0, **options):
        """Heat of several clouds.

        Args:
          classifier: what has the quantities: a classifier.Classifier, or anything with its `quantities`.
          clouds: float32 array [B, N, 3].
          labels: class c of each, int array [B], or one int for all.
          rngs: list of B numpy RandomStates, for methods that draw.
          is_target: whether c is asked about though it is not the label, as in "why not?": then methods on the loss
            take minus its logit instead.
          places: how many of the hottest points are asked for, in the order of their heat; 0: all. Methods that order
            point after point spare the work for the others, which are colder than these.
          options: pooling ("max" or "avg"), power (alpha of ASM) and path_refresh (points after which the runner-up
            path takes new gradients); those that the formula does not take do nothing.

        Returns:
          float array [B, N], of finite numbers: float32, or float64 of RISE, whose sums float32 would round to ties.

        Raises:
          InputError: a heat is beyond all numbers, as with an extreme power, or none, as of a network that holds NaN.
        """
        taken = {name: value for name, value in dict(options, places=places).items() if name in self.options}
        heats, start = [], 0
        is_of_rows = "features" in self.needs
        needs = self.needs + (ROWS_TO_POINTS if is_of_rows else ())
        for quantities in classifier.quantities(needs, clouds, labels, is_target):
            if "rngs" in self.options:
                taken["rngs"] = rngs[start:]
            found = self.formula(*quantities[: len(self.needs)], **taken)
            heats.append(centres.at_points(found, *quantities[len(self.needs) :]) if is_of_rows else found)
            start += len(heats[-1])
        found = np.concatenate(heats)
        if not np.isfinite(found).all():
            text = "the heat by {} is no finite number at some points".format(self.title)
            if taken.get("power", 1.0) != 1.0:
                text = "`power` {}: {}; give one nearer to 1".format(taken["power"], text)
            raise InputError(text)
        return found


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
            "runner-up",
            title="runner-up",
            needs=("points", "maxima"),
            formula=runner_up.runner_up,
            drop_mode="top",
            colour="#B00020",
            marker="*",
        ),
        Method(
            "runner-up-path",
            title="runner-up path",
            needs=("points", "pools_of"),
            formula=runner_up.runner_up_path,
            options=("path_refresh", "places"),
            drop_mode="top",
            colour="#6A0DAD",
            marker="h",
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
            "leave-one-out",
            title="leave-one-out",
            needs=("points", "matters", "losses_of_parts"),
            formula=removal.leave_one_out,
            drop_mode="top",
            colour="#7F4F24",
            marker="p",
            is_slow=True,
        ),
        Method(
            "occlusion",
            title="occlusion",
            needs=("points", "probabilities_of_parts"),
            formula=removal.occlusion,
            colour="#004D40",
            marker="d",
            is_slow=True,
        ),
        Method(
            "lime3d",
            title="LIME-3D",
            needs=("points", "probabilities_of_parts"),
            formula=removal.lime3d,
            options=("rngs",),
            colour="#8FBC3F",
            marker=">",
            is_slow=True,
        ),
        Method(
            "rise",
            title="RISE",
            needs=("points", "probabilities_of_parts"),
            formula=removal.rise,
            options=("rngs",),
            colour="#F781BF",
            marker="H",
            is_slow=True,
        ),
        Method(
            "ape",
            title="APE",
            needs=("points", "feature_map_of"),
            formula=removal.ape,
            colour="#3F51B5",
            marker="8",
            is_slow=True,
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

# Where nobody says whose heat: that which ranks points best without asking the network many times.
DEFAULT_METHOD = "runner-up"
# What the formulas take besides quantities, by the names of the flags.
OPTIONS = tuple(
    dict.fromkeys(name for method in METHODS.values() for name in method.options if name not in ("rngs", "places"))
)
# Those that have a script of their own: the pair that this program began with.
SCRIPTED = tuple(name for name, method in METHODS.items() if method.script)
