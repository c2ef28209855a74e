# SPDX-License-Identifier: Apache-2.0
"""check_models.py MODEL...: fails unless each passes ONNX's checker, shapes and types included."""
import sys

import onnx

for path in sys.argv[1:]:
    onnx.checker.check_model(path, full_check=True)
