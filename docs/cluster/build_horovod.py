"""Builds Horovod into the environment whose Python runs this, for `horovodrun -np N python train.py`.

    python docs/cluster/build_horovod.py

Needs a C++ compiler, and on macOS libuv (`brew install libuv`), and fetches the rest by pip. It takes some minutes. Run
again, it says that Horovod is there. Processes talk by Gloo, so no MPI is needed.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

VERSION = "0.28.1"
PROJECT_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REQUIREMENTS = os.path.join(PROJECT_DIR, "requirements-horovod.txt")
SETTINGS = {
    "HOROVOD_WITH_TENSORFLOW": "1",
    "HOROVOD_WITH_GLOO": "1",
    "HOROVOD_WITHOUT_MPI": "1",
    "HOROVOD_WITHOUT_PYTORCH": "1",
    "HOROVOD_WITHOUT_MXNET": "1",
}
# From this TensorFlow on Horovod's own operations of XLA no longer compile. We use none of them.
FIRST_WITHOUT_XLA = (2, 16)
XLA_LINE = re.compile(r"^.*xla_mpi_ops\.cc.*\n", re.MULTILINE)
FILE_OF_XLA_LINE = os.path.join("horovod", "tensorflow", "CMakeLists.txt")


def main():
    if os.name == "nt":
        give_up("Horovod is for Linux and macOS: on Windows use WSL")
    tensorflow = tensorflow_version()
    if is_built():
        print("Horovod {} is there, for TensorFlow {}".format(VERSION, tensorflow))
        return
    if not shutil.which(os.environ.get("CXX", "c++")):
        give_up(
            "no C++ compiler `{}`: on Debian `apt-get install g++`, on macOS `xcode-select --install`; or name one in "
            "CXX".format(os.environ.get("CXX", "c++"))
        )
    print("Fetching what the build needs ...", flush=True)
    pip("install", "-r", REQUIREMENTS)
    with tempfile.TemporaryDirectory() as folder:
        source = fetch(folder)
        if numbers_of(tensorflow) >= FIRST_WITHOUT_XLA:
            mend(source)
        print("Building Horovod {} for TensorFlow {}, some minutes ...".format(VERSION, tensorflow), flush=True)
        pip("install", "--no-build-isolation", "--no-deps", source, environment=build_environment())
    if not is_built():
        give_up(
            "Horovod was built but does not load: `{} -c 'import horovod.tensorflow'` tells why".format(sys.executable)
        )
    print("Built. Now: horovodrun -np 2 python train.py")


def tensorflow_version():
    """The version of this environment's TensorFlow."""
    found = run_python("import tensorflow; print(tensorflow.__version__)")
    if found.returncode:
        give_up("{} has no TensorFlow: activate the environment that you train in".format(sys.executable))
    return found.stdout.split()[-1]


def numbers_of(version):
    """The first two numbers of a version: (2, 21) of "2.21.0"."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def is_built():
    """Whether this environment has the Horovod that we want, and it loads with this TensorFlow."""
    found = run_python("import horovod, horovod.tensorflow; print(horovod.__version__)")
    return not found.returncode and found.stdout.split()[-1:] == [VERSION]


def fetch(folder):
    """Fetches Horovod's source into a folder and unpacks it; returns where."""
    pip("download", "--no-deps", "--no-build-isolation", "--no-binary", "horovod", "-d", folder, "horovod==" + VERSION)
    name = "horovod-" + VERSION
    with tarfile.open(os.path.join(folder, name + ".tar.gz")) as archive:
        archive.extractall(folder)
    return os.path.join(folder, name)


def mend(source):
    """Takes the one line out of Horovod's source that names what today's TensorFlow does not compile."""
    path = os.path.join(source, FILE_OF_XLA_LINE)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(XLA_LINE.sub("", text))


def build_environment():
    """The environment variables of the build."""
    environment = dict(os.environ, **SETTINGS)
    environment["HOROVOD_CMAKE"] = os.path.join(os.path.dirname(sys.executable), "cmake")
    # As many compilers as cores, of a cluster's machine as this may use; Horovod's own eight fill a small one's memory.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    environment.setdefault("MAKEFLAGS", "-j{}".format(cores))
    # GCC 13 and later no longer includes it by the way.
    environment["CXXFLAGS"] = " ".join([environment.get("CXXFLAGS", ""), "-include cstdint"]).strip()
    return environment


def pip(*arguments, environment=None):
    """Runs pip of this Python; where it fails, shows what it said and ends."""
    found = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check"] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        env=environment,
    )
    if found.returncode:
        sys.stderr.write(found.stdout)
        give_up("`pip {}` failed, see above".format(" ".join(arguments)))


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True
    )


def give_up(message):
    sys.exit("build_horovod.py: error: {}".format(message))


if __name__ == "__main__":
    main()
