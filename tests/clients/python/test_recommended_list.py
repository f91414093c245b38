"""Requests and answers against the contract, which the package does not have."""

from dataclasses import fields
from typing import get_type_hints

import pytest
from pydantic import BaseModel

from endcap.contracts.answer import Answer
from endcap.contracts.answer import Recommendation as ContractRecommendation
from endcap.contracts.request import Consent, Context, Filters, Instance, Preferences
from endcap_client import recommended_list
from endcap_client.recommended_list import ListRequest, Recommendation, RecommendedList


@pytest.mark.parametrize(
    ("said", "contract"),
    [
        (ListRequest, Instance),
        (recommended_list.Filters, Filters),
        (recommended_list.Context, Context),
        (recommended_list.Preferences, Preferences),
        (recommended_list.Consent, Consent),
    ],
)
def test_a_request_has_the_fields_of_the_contract(said: type, contract: type[BaseModel]) -> None:
    assert get_type_hints(said).keys() == contract.model_fields.keys()


@pytest.mark.parametrize(("said", "contract"), [(RecommendedList, Answer), (Recommendation, ContractRecommendation)])
def test_an_answer_has_the_fields_of_the_contract(said: type, contract: type[BaseModel]) -> None:
    assert {field.name for field in fields(said)} == contract.model_fields.keys()
