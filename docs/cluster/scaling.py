"""How long a step of N processes takes, from what one process and one averaging take.

    horovodrun -np 2 python docs/cluster/scaling.py --measure
    python docs/cluster/scaling.py --step_seconds 0.34 --small_seconds 1e-3 --hop_seconds 3e-5 --gigabytes_a_second 1.25
    python docs/cluster/scaling.py --explain_seconds 3.97

The first command measures averagings of two processes here; the second prints a table for 1 to 512. A step computes,
then averages the gradient along a ring, which sends 2 (N - 1) / N of its bytes and takes 2 (N - 1) hops. Each batch
norm averages a few hundred numbers twice on the way, one after the other, along the same ring. Nothing overlaps, which
is the worst case. The third prints what explaining takes, which processes do without each other, by shards.
"""

import argparse
import time

GRADIENT_BYTES = 4 * 3480049  # of pointnet_cls
SMALL_AVERAGINGS = 2 * 17  # of its 17 batch norms, forward and back
PROCESSES = (1, 2, 8, 64, 512)
DATA_SETS = (("ModelNet40", 9840), ("ShapeNet", 51000), ("Objaverse", 800000))
EPOCHS = 250


def step_seconds(count, flags):
    """Seconds of a step of so many processes."""
    if count == 1:
        return flags.step_seconds
    hops = 2 * (count - 1) * flags.hop_seconds
    gradient = hops + 2 * (count - 1) / count * GRADIENT_BYTES / (1e9 * flags.gigabytes_a_second)
    # What two processes take holds two hops.
    small = flags.small_seconds + hops - 2 * flags.hop_seconds
    return flags.step_seconds + gradient + SMALL_AVERAGINGS * small


def print_table(flags):
    titles = ["hours of {} epochs, {}".format(EPOCHS, name) for name, _ in DATA_SETS]
    print("| processes | clouds a step | step, ms | efficiency | {} |".format(" | ".join(titles)))
    print("|" + "---|" * (4 + len(DATA_SETS)))
    for count in PROCESSES:
        seconds = step_seconds(count, flags)
        clouds = count * flags.batch_size
        hours = []
        for _, num_clouds in DATA_SETS:
            steps = EPOCHS * (num_clouds // clouds)
            hours.append("{:.3g}".format(steps * seconds / 3600) if steps else "too few clouds")
        cells = [count, clouds, "{:.0f}".format(1e3 * seconds), "{:.0%}".format(flags.step_seconds / seconds)] + hours
        print("| {} |".format(" | ".join(str(cell) for cell in cells)))


def print_explaining(seconds):
    print("| processes | {} |".format(" | ".join("hours, {}".format(name) for name, _ in DATA_SETS)))
    print("|" + "---|" * (1 + len(DATA_SETS)))
    for count in PROCESSES:
        hours = ["{:.3g}".format(num_clouds * seconds / count / 3600) for _, num_clouds in DATA_SETS]
        print("| {} | {} |".format(count, " | ".join(hours)))


def measure():
    """Prints the medians of an averaging of 256 numbers, and of a gradient, over the processes that there are."""
    import horovod.tensorflow as horovod
    import numpy as np
    import tensorflow.compat.v1 as tf

    horovod.init()
    with tf.Graph().as_default(), tf.Session() as session:
        for name, num_bytes in (("small", 1024), ("gradient", GRADIENT_BYTES)):
            averaged = horovod.allreduce(tf.random.uniform([num_bytes // 4]), op=horovod.Average, name=name).op
            times = []
            for _ in range(100):
                start = time.time()
                session.run(averaged)
                times.append(time.time() - start)
            if horovod.rank() == 0:
                print(
                    "{}: {} bytes, {} processes: median {:.2f} ms, least {:.2f} ms".format(
                        name, num_bytes, horovod.size(), 1e3 * np.median(times), 1e3 * min(times)
                    )
                )


def main():
    parser = argparse.ArgumentParser(description="The time of a step of N processes.")
    parser.add_argument("--measure", action="store_true", help="measure averagings, started by horovodrun")
    parser.add_argument("--step_seconds", type=float, help="of one process alone")
    parser.add_argument("--batch_size", type=int, default=32, help="clouds a step of each process")
    parser.add_argument("--small_seconds", type=float, help="of a small averaging of two processes")
    parser.add_argument("--hop_seconds", type=float, help="from one machine to the next")
    parser.add_argument("--gigabytes_a_second", type=float, help="from one machine to the next")
    parser.add_argument("--explain_seconds", type=float, help="of explaining one cloud, by one process")
    flags = parser.parse_args()
    if flags.measure:
        measure()
    elif flags.explain_seconds is not None:
        print_explaining(flags.explain_seconds)
    elif None in (flags.step_seconds, flags.small_seconds, flags.hop_seconds, flags.gigabytes_a_second):
        parser.error("give all of --step_seconds, --small_seconds, --hop_seconds and --gigabytes_a_second")
    else:
        print_table(flags)


if __name__ == "__main__":
    main()
