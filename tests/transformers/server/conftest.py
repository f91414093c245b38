"""KServe's application behind endcap's layers, within this process."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from kserve.model_repository import ModelRepository

from endcap.core.settings import ResilienceSettings, ServingSettings, Settings
from endcap_transformer.resilience.admission import Admission, LoopLag
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.server.draining import Draining
from endcap_transformer.server.error_answers import ErrorAnswers
from endcap_transformer.server.kserve_server import BoundRestServer, DrainedDataPlane, PromotedModels
from tests.transformers.canned import CannedModel
from tests.transformers.server.shop import BODY_SECONDS


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Of a server whose model is called shop."""
    monkeypatch.setattr("kserve.model_server.app", FastAPI())
    access = logging.getLogger("uvicorn.access")
    monkeypatch.setattr(access, "handlers", access.handlers)
    monkeypatch.setattr(access, "propagate", access.propagate)
    canned, models = CannedModel(name="shop"), ModelRepository()
    models.update(canned.model)
    plane = DrainedDataPlane(models, Draining(ResilienceSettings(), canned.metrics))
    server = BoundRestServer(plane, PromotedModels(model_registry=models), Settings(), ErrorAnswers(canned.metrics))
    admission = Admission(ResilienceSettings(), 8_000, canned.metrics, LoopLag(canned.metrics.event_loop_lag.observe), ConcurrencyLimit(64))
    server.put_in_front(canned.model, admission, ServingSettings(body_seconds=BODY_SECONDS))
    transport = httpx.ASGITransport(server.config.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
