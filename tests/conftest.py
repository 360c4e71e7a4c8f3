"""What all tests share: hypothesis profiles, and one torch thread a worker."""

import os

import torch
from hypothesis import HealthCheck, settings

# .ci/run adds HYPOTHESIS_PROFILE=thorough for what is held against torch, after README's test command
_COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("default", max_examples=40, **_COMMON)
settings.register_profile("thorough", max_examples=2000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--regenerate", action="store_true", help="write the goldens anew instead of comparing")
