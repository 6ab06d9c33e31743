# SPDX-License-Identifier: MIT
"""The processes that are measured, one for each peer, and how to talk to them."""

import dataclasses
import os
import pathlib
import selectors
import signal
import subprocess
import time

from peer import install

HERE = pathlib.Path(__file__).resolve().parent
# Threads that spin for a moment find the next call, and are asleep when the next peer runs.
QUIET = {"GOMP_SPINCOUNT": "2000", "KMP_BLOCKTIME": "0"}
# glibc keeps what is freed: a peer that allocates its results faults no page in twice.
KEEP_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=17179869184:"
                                "glibc.malloc.trim_threshold=34359738368"}
ANSWER_SECONDS = 300
NAMES = [*("clnorm-" + name for name in install.DEVICES), "onednn3", "onednn2", "onnxruntime",
         "torch", "jax"]


class Broken(Exception):
    """The worker died, was silent for too long, or reported an error."""


@dataclasses.dataclass
class Peer:
    name: str
    command: list
    variables: dict
    is_clnorm: bool = False
    param_dtype: str = None  # of weight and bias, if not that of x
    slack: int = 1  # of the tolerance of 16-bit sums over rows


def peers_of(place):
    """All of them that this machine can have, clnorm's first."""
    found = []
    for name, device in install.DEVICES.items():
        variables = install.environment_of(device)
        if variables is not None:
            found.append(Peer("clnorm-" + name, [place.worker("clnorm")], variables, True))
    lib = place.folder / "lib"
    found.append(Peer("onednn3", [place.worker("onednn3")],
                      {"OCL_ICD_FILENAMES": str(lib / "libintelocl.so")}, param_dtype="f32"))
    found.append(Peer("onednn2", [place.worker("onednn2")], {}, param_dtype="f32"))
    for name, variables in (("onnxruntime", {}), ("torch", KEEP_PAGES), ("jax", KEEP_PAGES)):
        script = HERE / f"{name.removesuffix('runtime')}_worker.py"
        slack = 16 if name == "torch" else 1  # it is 1 or 2 % off
        found.append(Peer(name, [place.python, script], variables, slack=slack))
    return found


class Worker:
    def __init__(self, peer, more_variables=None):
        self.peer = peer
        self.process = None
        self.variables = {**os.environ, **QUIET, **peer.variables, **(more_variables or {})}
        self.variables.pop("CLNORM_DEVICE", None)

    def start(self):
        try:
            self.process = subprocess.Popen(
                [str(word) for word in self.peer.command], env=self.variables, text=True,
                bufsize=1, start_new_session=True,  # Ctrl-C is for the driver alone
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            # should memory run out after all, a worker dies and nothing else on the machine
            pathlib.Path(f"/proc/{self.process.pid}/oom_score_adj").write_text("1000")
        except OSError as error:
            self.stop()
            raise Broken(f"it does not start: {error}") from error

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def quit(self):
        """Lets it end by itself, if it does so soon; its exit code, or None."""
        code = None
        if self.process:
            try:
                self.process.stdin.close()
                code = self.process.wait(20)
            except (OSError, subprocess.TimeoutExpired):
                code = self.process.poll()
            self.stop()
        return code

    def read(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(ANSWER_SECONDS):
                raise Broken(f"no answer within {ANSWER_SECONDS} s")
        return self.process.stdout.readline()

    def ask(self, line):
        """(status, rest of the answer): status is ok or lacks."""
        if not self.process:
            self.start()
        try:
            self.process.stdin.write(line + "\n")
            answer = self.read()
        except OSError:
            answer = ""
        except Broken:
            self.stop()
            raise
        status, _, rest = answer.strip().partition(" ")
        if status not in ("ok", "lacks"):
            code = self.quit()
            raise Broken(rest or f"it ended with {code}")
        return status, rest

    def prepare(self, case, paths):
        """None, or what the peer lacks."""
        status, rest = self.ask("prepare " + case.words(paths, self.peer.param_dtype))
        return rest if status == "lacks" else None

    def seconds(self, what, calls, each=False):
        return 1e-9 * float(self.ask(f"time what={what} calls={calls} each={int(each)}")[1])

    def versions(self):
        return dict(word.split("=", 1) for word in self.ask("versions")[1].split())


def pause():
    """Between two peers: threads that spin go to sleep."""
    time.sleep(0.002)
