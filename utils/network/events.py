"""What TensorBoard shows of a training: event files, written at once."""

import contextlib
import os
import socket
import time

import numpy as np
import tensorflow.compat.v1 as tf

from utils import files

# Of TensorBoard's three.js. Through its 75 degrees, from so near, the front points would hide the rest. The size of a
# point knows nothing of the angle: through 30 degrees 0.1 looks like 0.1 tan(15 degrees) = 0.027 sphere radii.
MESH_CONFIG = {
    "camera": {"cls": "PerspectiveCamera", "fov": 30, "near": 0.1, "far": 1000},
    "material": {"cls": "PointsMaterial", "size": 0.1},
}
WAY_ON = "free space there or mend the disk, and the same command goes on from the last save"


class EventFile:
    """An event file of TensorBoard.

    Our own: a full disk is seen where it happens. tf.summary.FileWriter writes in a thread, which ends with a traceback
    on the terminal in TensorFlow 2, and in TensorFlow 1.15 without a word.
    """

    def __init__(self, folder, graph):
        """Begins a new file in a folder, which is made where need be, with a tf.Graph. Raises an InputError."""
        name = "events.out.tfevents.{:010d}.{}.{}".format(int(time.time()), socket.gethostname(), os.getpid())
        self._path = os.path.join(folder, name)
        with self._writing():
            os.makedirs(folder, exist_ok=True)
            # Its bytes: of a name that is no UTF-8 TensorFlow would take another text for it, or none.
            self._writer = tf.io.TFRecordWriter(os.fsencode(self._path))
        definition = graph.as_graph_def(add_shapes=True)
        whole = tf.MetaGraphDef(graph_def=definition)
        self._add(
            tf.Event(file_version="brain.Event:2"),
            tf.Event(graph_def=definition.SerializeToString()),
            tf.Event(meta_graph_def=whole.SerializeToString()),
        )

    def add_numbers(self, values, step):
        """Adds a dictionary of numbers. Raises an InputError where the disk is full."""
        self._add(
            tf.Event(
                step=step,
                summary=tf.Summary(
                    value=[tf.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
                ),
            )
        )

    def add_clouds(self, clouds, step):
        """Adds coloured clouds for the mesh plugin.

        Args:
          clouds: {tag: (points float32 [N, 3], colours [N, 3] in 0..1)}.
          step: of the training.

        Raises:
          ImportError: the package tensorboard is not installed.
          InputError: the disk is full.
        """
        from tensorboard.plugins.mesh import summary as mesh_summary

        for tag, (points, colours) in clouds.items():
            # `pb` needs neither an op, which would add to the graph, nor TensorFlow 2's eager mode.
            summary = mesh_summary.pb(
                tag, points[np.newaxis], colors=np.uint8(np.rint(255 * colours))[np.newaxis], config_dict=MESH_CONFIG
            )
            self._add(tf.Event(step=step, summary=tf.Summary.FromString(summary.SerializeToString())))

    def close(self):
        """Closes the file. What was added is in it already."""
        with contextlib.suppress(tf.errors.OpError, RuntimeError, OSError):
            self._writer.close()

    def _add(self, *events):
        with self._writing():
            for event in events:
                event.wall_time = time.time()
                self._writer.write(event.SerializeToString())
            self._writer.flush()

    @contextlib.contextmanager
    def _writing(self):
        with files.writing(self._path, WAY_ON):
            try:
                yield
            except (tf.errors.OpError, RuntimeError) as error:
                raise OSError(getattr(error, "message", str(error)).strip().split("\n")[0].split("; ")[-1])
