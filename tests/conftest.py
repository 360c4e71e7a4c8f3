"""What all tests share: hypothesis profiles, and one torch thread a worker."""

import os

import torch
from hypothesis import settings

from convcalc.layers.base import OUTSIDE
from convcalc.nn import *  # noqa: F403  every family, so that `layers.base.kinds` knows all kinds in every test

# .ci/run adds HYPOTHESIS_PROFILE=thorough for what is held against torch, after README's test command
# no deadline: what a case takes depends on what else the machine does
settings.register_profile("default", max_examples=40, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--regenerate", action="store_true", help="write the goldens anew instead of comparing")


def pytest_collectstart(collector):
    OUTSIDE.clear()  # kinds that files of tests define, which no sheet of another file should know


def pytest_runtest_setup(item):
    OUTSIDE.clear()  # the same for what one test defines
