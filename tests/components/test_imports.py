"""Steps that compute nothing with TensorFlow do not wait for it: loading it takes several seconds a process."""

import subprocess
import sys

import pytest

WITHOUT_TENSORFLOW = (
    "build_features",
    "build_tables",
    "build_training_set",
    "deploy_bundle",
    "gate",
    "preflight",
    "validate_data",
)


@pytest.mark.processes
def test_steps_that_fit_no_network_load_no_tensorflow() -> None:
    imports = "; ".join(f"import endcap_components.{name}.step" for name in WITHOUT_TENSORFLOW)
    program = f"import sys; {imports}; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
