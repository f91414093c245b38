from dataclasses import fields
from pathlib import Path

import numpy as np

from endcap.training.retrieval_examples import RetrievalExamples
from endcap.training.training_set import TrainingSet
from tests.endcap.training.made_artifacts import training_dir


def test_written_examples_read_back_the_same(tmp_path: Path) -> None:
    examples = TrainingSet(training_dir()).examples
    examples.write(tmp_path / "examples")
    again = RetrievalExamples.read(tmp_path / "examples")
    for field in fields(RetrievalExamples):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(examples, field.name))


def test_targets_of_chosen_rows_are_those_rows_targets() -> None:
    examples = TrainingSet(training_dir()).examples
    rows = np.array([5, 0, 11])
    row, place = examples.targets_of(rows)
    for number, example in enumerate(rows):
        expected = np.arange(examples.target_start[example], examples.target_start[example + 1])
        np.testing.assert_array_equal(place[row == number], expected)
