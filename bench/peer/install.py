# SPDX-License-Identifier: MIT
"""Puts the peers together: a virtual environment with their wheels, a release build of clnorm that
is installed beside it, the C workers, and OpenCL implementations by ci/devices. What is already
there is used as it is, without a network, but clnorm and the workers, which are built each time."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "bench" / "peer"
WHEELS = ["numpy", "ml-dtypes", "torch", "onnx", "onnxruntime", "jax", "onednn-devel"]
PROGRAMS = ["gcc", "meson", "ninja", "pkg-config", "clinfo"]
HEADERS = ["/usr/include/CL/cl.h", "/usr/include/oneapi/dnnl/dnnl.h"]
DEVICES = {"pocl": "pocl-pthread", "intel": "intel-cpu"}


class Problem(Exception):
    """What is missing, and what to do."""


def say(text):
    print(f"peers: {text}", file=sys.stderr, flush=True)


def run(command, **options):
    """Its stdout; a failure shows what it said."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise Problem(f"this failed with {done.returncode}: "
                      f"{shlex.join(str(word) for word in command)}\n{tail}")
    return done.stdout


class Place:
    """Where everything is."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.python = self.folder / "bin" / "python"
        self.stamp = self.folder / "clnorm-peers"
        self.build = self.folder / "clnorm-build"
        self.prefix = self.folder / "clnorm"

    def worker(self, name):
        return self.folder / "bin" / f"peer-{name}"


def install_packages():
    missing = [name for name in PROGRAMS if not shutil.which(name)] + \
        [header for header in HEADERS if not os.path.exists(header)]
    if not missing:
        return
    say(f"{', '.join(missing)} missing: ci/packages.sh peers")
    run([ROOT / "ci" / "packages.sh", "peers"])


def install_wheels(place):
    wanted = "\n".join(WHEELS) + "\n"
    if place.stamp.exists() and place.stamp.read_text() == wanted:
        return
    say(f"installing {', '.join(WHEELS)} into {place.folder} (6 GB)")
    base = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
    run([base, "-m", "venv", place.folder])
    run([place.python, "-m", "pip", "install", "--quiet", "--no-input", "--no-cache-dir",
         "--disable-pip-version-check", "--retries", "5", *WHEELS])
    place.stamp.write_text(wanted)


def build_clnorm(place):
    if not (place.build / "build.ninja").exists():
        run(["meson", "setup", place.build, ROOT, "--prefix", place.prefix, "--libdir", "lib",
             "-Dtests=false", "-Dcli=false", "-Dexamples=false", "-Dbuildtype=release"])
    run(["ninja", "-C", place.build])
    run(["meson", "install", "-C", place.build, "--quiet"])


def commit(place):
    """{"commit": what was built}, or {} where there is no git."""
    meson = json.loads((place.build / "meson-info" / "meson-info.json").read_text())
    source = pathlib.Path(meson["directories"]["source"])
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(source.parent)}
    try:
        text = run(["git", "-C", source, "describe", "--always", "--dirty"], env=alone)
    except (OSError, Problem):
        return {}
    return {"commit": text.strip()}


def compile_worker(place, name, sources, flags):
    new = place.worker(name + ".new")
    run(["gcc", "-std=c11", "-O2", *[HERE / s for s in sources], "-o", new, *flags])
    new.rename(place.worker(name))


def build_workers(place):
    build_clnorm(place)
    pkgconfig = {**os.environ, "PKG_CONFIG_PATH": str(place.prefix / "lib" / "pkgconfig")}
    flags = run(["pkg-config", "--cflags", "--libs", "clnorm"], env=pkgconfig).split()
    compile_worker(place, "clnorm", ["clnorm.c", "companion.c", "worker.c"],
                   ["-DCL_TARGET_OPENCL_VERSION=120", *flags, f"-Wl,-rpath,{place.prefix}/lib"])
    compile_worker(place, "onednn2", ["onednn.c", "worker.c"], ["-ldnnl"])
    lib = place.folder / "lib"
    compile_worker(place, "onednn3", ["onednn.c", "worker.c"], [
        "-isystem", place.folder / "include", f"-L{lib}", "-l:libdnnl.so.3",
        f"-Wl,-rpath,{lib},-rpath-link,{lib},--disable-new-dtags"])


def environment_of(device):
    """What ci/devices exports for an implementation, or None where it cannot be had."""
    done = subprocess.run([ROOT / "ci" / "devices", device], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == 77:
        say(done.stderr.strip().splitlines()[-1])
        return None
    if done.returncode != 0:
        raise Problem(f"ci/devices {device}: {done.stderr.strip()}")
    words = shlex.split(done.stdout.replace("export ", ""))
    return dict(word.split("=", 1) for word in words)


def everything(place):
    install_packages()
    install_wheels(place)
    build_workers(place)
