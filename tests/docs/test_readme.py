import json
import re
from pathlib import Path

from endcap.contracts.answer import Answer
from endcap.contracts.request import PredictRequest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_request_shown_is_valid() -> None:
    (body,) = re.findall(r"-d '(\{.*?\})'", README)
    assert PredictRequest.model_validate_json(body).instances[0].k == 2


def test_the_answer_shown_has_the_form_of_the_contract() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", README, flags=re.DOTALL)
    answer = Answer.model_validate(json.loads(shown)["predictions"][0])
    assert len(answer.recommendations) == 2


def test_every_page_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)[^)]*\)", README)
    assert len(links) > 20
    assert all((Path(__file__).parents[2] / link).exists() for link in links)
