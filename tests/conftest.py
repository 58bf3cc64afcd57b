"""What all tests share: how Hypothesis searches.

`ci`, the default, draws the same examples in every run. `HYPOTHESIS_PROFILE=nightly` draws more
and other ones; a failure prints the call that repeats it.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("nightly", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
