#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mnist.py MNIST: a training that was stopped, by its end or by a signal, goes on as if it had not
been, to the bit; two runs of a seed are alike; the test is that of the net that was trained, which
learns; bad input ends with 2 and says what is wrong."""
import array
import gzip
import json
import math
import operator
import os
import signal
import struct
import subprocess
import sys
import tempfile
import zlib

PROGRAM = os.path.abspath(sys.argv[1])
SIDE, TRAIN, TEST = 5, 100, 30
MANY = 730 # tests are done in blocks of 500


def write_idx(path, dims, data, ending=b""):
    header = struct.pack(">HBB", 0, 8, len(dims)) + b"".join(struct.pack(">I", d) for d in dims)
    with gzip.open(path + ".gz", "wb") as file:
        file.write(header + data + ending)


def images_of(name, count, first=0):
    """Labels, and images whose slope tells them, more or less."""
    shift = len(name)
    return [(label, bytes((label * 25 + i * i * 31 + shift + k * 17 * label) % 256
                          for k in range(first, first + SIDE * SIDE)))
            for i in range(count) for label in [i * 7 % 10]]


def write_data(folder, tests, first=0):
    os.mkdir(folder)
    for name, count in ("train", TRAIN), ("t10k", tests):
        images = images_of(name, count, first)
        labels = bytes(label for label, _ in images)
        pixels = b"".join(image for _, image in images)
        write_idx(f"{folder}/{name}-images-idx3-ubyte", (count, SIDE, SIDE), pixels)
        write_idx(f"{folder}/{name}-labels-idx1-ubyte", (count,), labels)


def run(*options, code=0):
    result = subprocess.run([PROGRAM, "--data", "data", "--hidden", "24", *options],
                            capture_output=True, text=True, check=False)
    assert result.returncode == code, f"{options}: {result.returncode}, not {code}: {result.stderr}"
    return result.stderr


def results(path):
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    for point in content["evaluations"]:
        del point["seconds"]
    return content["evaluations"]


def arrays(path):
    """The parts of a checkpoint, without those that hold seconds."""
    with open(path, "rb") as file:
        content = file.read()
    parts, at = {}, 56
    while at < len(content):
        name = content[at:at + 32].rstrip(b"\0").decode()
        size = struct.unpack_from("=Q", content, at + 32)[0]
        parts[name] = content[at + 40:at + 40 + size]
        at += 40 + (size + 7) // 8 * 8
    del parts["seconds"], parts["points"]
    return parts


def same_state(a, b):
    assert arrays(a).keys() == arrays(b).keys()
    for name, data in arrays(a).items():
        assert data == arrays(b)[name], f"{name} differs in {a} and {b}"


def check_resumption(norm):
    common = ("--norm", norm, "--batch", "8", "--evaluate-every", "20")
    run(*common, "--steps", "70", "--json", "whole.json", "--checkpoint", "whole")
    run(*common, "--steps", "33", "--checkpoint", "parts")
    run(*common, "--steps", "70", "--json", "parts.json", "--checkpoint", "parts", "--resume")
    assert [p["step"] for p in results("parts.json")] == [20, 40, 60, 70]
    assert results("whole.json") == results("parts.json")
    same_state("whole", "parts")
    run(*common, "--steps", "70", "--json", "again.json")
    assert results("whole.json") == results("again.json")
    run(*common, "--steps", "70", "--json", "again.json", "--seed", "2")
    assert results("whole.json") != results("again.json")


def test_of(checkpoint, norm, data):
    """Mean nll and errors of the test's images by the parameters and statistics that were kept."""
    def floats(name):
        return array.array("f", arrays(checkpoint)[name])

    hidden, pixels, classes = 32, SIDE * SIDE, 10
    parameters, running = floats("parameters"), floats("running")
    sizes = (pixels * hidden, hidden, hidden, hidden * hidden, hidden, hidden, hidden * classes)
    # each is a multiple of 128 bytes, so none is padded
    assert len(parameters) == sum(sizes) + 16, len(parameters)
    at = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    parts = [parameters[a:b] for a, b in zip(at, at[1:])]
    columns = [[part[i::n] for i in range(n)]
               for part, n in ((parts[0], hidden), (parts[3], hidden), (parts[6], classes))]
    nll = errors = 0
    for label, image in data:
        x = [pixel / 255 for pixel in image]
        for layer in range(2):
            h = [sum(map(operator.mul, x, column)) for column in columns[layer]]
            kept = running[2 * layer * hidden:2 * (layer + 1) * hidden]
            mean, variance = kept[:hidden], kept[hidden:]
            if norm == "layer":
                mean = [sum(h) / hidden] * hidden
                variance = [sum((a - mean[0]) ** 2 for a in h) / hidden] * hidden
            x = [max(0, (a - m) / math.sqrt(v + 1e-5) * scale + shift) for a, m, v, scale, shift
                 in zip(h, mean, variance, parts[3 * layer + 1], parts[3 * layer + 2])]
        z = [sum(map(operator.mul, x, column)) + bias
             for column, bias in zip(columns[2], parameters[at[-1]:])]
        nll += math.log(sum(map(math.exp, z))) - z[label]
        errors += z[label] < max(z)
    return nll / len(data), errors / len(data)


def check_evaluation(norm):
    """Test images in blocks, the last of which overlaps the one before, as the host has them."""
    common = ("--norm", norm, "--batch", "8", "--hidden", "32", "--steps", "200",
              "--evaluate-every", "50", "--data", "many")
    run(*common, "--json", "test.json", "--checkpoint", "test")
    first, *_, last = results("test.json")
    nll, error = test_of("test", norm, images_of("t10k", MANY))
    # sums of up to 100 terms, twice, of norms and logits of up to 10
    assert abs(last["test_nll"] - nll) < 1e-5 * max(1, nll), (last, nll)
    assert abs(last["test_error"] - error) < 1.5 / MANY, (last, error)
    assert last["train_nll"] < first["train_nll"], (first, last)
    assert last["train_error"] < 0.45, f"{last}: half of what chance has"


def check_other_run():
    """What is not in the options: images, device, and a list that is too long for the run."""
    def refused(expected, content, *options):
        with open("other", "wb") as file:
            file.write(content[:48] + struct.pack("=Q", zlib.crc32(content[56:])) + content[56:])
        message = run("--batch", "8", "--evaluate-every", "20", "--checkpoint", "other", "--resume",
                      *options, code=2)
        assert expected in message, f"{message!r} has no {expected!r}"

    with open("uncut", "rb") as file:
        content = file.read()
    write_data("others", TEST, 1)
    refused("is of other images than those in others", content, "--data", "others")
    at = content.index(b"pthread")
    refused("is of device 'qthread", content[:at] + b"q" + content[at + 1:])
    at = content.index(b"step\0") + 40
    refused("evaluations of 0 steps; must be at most 1", content[:at] + bytes(8) + content[at + 8:])


def check_signal():
    common = ("--batch", "8", "--evaluate-every", "20")
    with subprocess.Popen([PROGRAM, "--data", "data", "--hidden", "24", *common, "--steps",
                           "10000000", "--checkpoint", "cut"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode == 130, process.returncode
    step = struct.unpack("=Q", arrays("cut")["step"])[0]
    run(*common, "--steps", str(step + 45), "--checkpoint", "cut", "--resume")
    run(*common, "--steps", str(step + 45), "--checkpoint", "uncut")
    same_state("cut", "uncut")


def check_bad_input():
    def refused(expected, *options):
        message = run(*options, code=2)
        assert expected in message, f"{options}: {message!r} has no {expected!r}"

    for expected, *options in (
            ("--norm is 'group'; must be one of layer, batch", "--norm", "group"),
            ("--batch is 0; must be 1 to", "--batch", "0"),
            ("--batch is 101", "--batch", "101"),
            ("--evaluate-every is 4611686018427387904; must", "--evaluate-every", str(2 ** 62)),
            ("--evaluate-every times --batch is 1048576000; must be", "--evaluate-every",
             str(2 ** 20), "--batch", "1000"),
            ("--batch with batch norm is 1", "--norm", "batch", "--batch", "1"),
            ("--check is 3; must be 4 to", "--norm", "batch", "--batch", "3", "--check", "--hidden",
             "100"),
            ("--profile is 24; must be 64 to", "--check"),
            ("--rate is nan", "--rate", "nan"),
            ("--frequency", "--frequency", "3"),
            ("'more'", "more"),
            ("--resume needs --checkpoint", "--resume"),
            ("neither this file nor", "--data", "nowhere"),
            ("nowhere/x.json", "--json", "nowhere/x.json"),
            ("is of --norm layer, not batch", "--checkpoint", "whole", "--resume", "--norm",
             "batch", "--batch", "8", "--evaluate-every", "20"),
            ("is of --batch 8, not 9", "--checkpoint", "whole", "--resume", "--batch", "9"),
            ("more than --steps 5", "--checkpoint", "uncut", "--resume", "--batch", "8",
             "--evaluate-every", "20", "--steps", "5")):
        refused(expected, *options)
    with open("uncut", "rb") as file:
        content = bytearray(file.read())
    same = ("--batch", "8", "--evaluate-every", "20", "--resume", "--checkpoint", "bad")
    for expected, damaged in (
            ("checksum is wrong", content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]),
            ("bytes follow the header", content[:-1]), ("is no checkpoint", b"x" * 100)):
        with open("bad", "wb") as file:
            file.write(damaged)
        refused(expected, *same)
    for expected, dims, size, ending in (
            ("it is cut off", (TRAIN, SIDE, SIDE), 9, b""),
            ("2 dimensions", (TRAIN, SIDE), TRAIN * SIDE, b""),
            ("more than its", (TRAIN, SIDE, SIDE), TRAIN * SIDE * SIDE, b"x"),
            ("99 images", (99, SIDE, SIDE), 99 * SIDE * SIDE, b"")):
        write_idx("data/train-images-idx3-ubyte", dims, bytes(size), ending)
        refused(expected)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    write_data("data", TEST)
    write_data("many", MANY)
    check_resumption("batch")
    check_resumption("layer")
    check_evaluation("batch")
    check_evaluation("layer")
    check_signal()
    check_other_run()
    check_bad_input()
    left = [name for name in os.listdir(".") if name.endswith(".tmp")]
    assert not left, left
    os.chdir("/")
