"""What the Spark job refuses before Spark is started."""

import pytest

from endcap.features.spark.job import main


@pytest.mark.parametrize(
    "given",
    [[], ["--data", "data"], ["--data", "d", "--out", "o", "--test-weeks", "0"], ["--data", "d", "--out", "o", "--format", "csv"]],
    ids=["nothing", "no out", "no weeks", "unknown format"],
)
def test_arguments_that_make_no_sense_are_refused(given, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(given)
    assert "usage: features_on_spark" in capsys.readouterr().err
