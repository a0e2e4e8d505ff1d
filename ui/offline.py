"""Settings of the libraries below us that keep a student's questions on the student's machine.

Import this before anything else. They are defaults: whoever sets HF_HUB_OFFLINE=0, to fetch
another model say, is obeyed.
"""

from __future__ import annotations

import os

DEFAULTS = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # ours are shown instead
    "TRANSFORMERS_VERBOSITY": "error",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "TOKENIZERS_PARALLELISM": "false",  # its threads and a fork do not go together
}

for _name, _value in DEFAULTS.items():
    os.environ.setdefault(_name, _value)
