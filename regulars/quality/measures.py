"""Expectations of our own: rules that are computed inside the engine and give back numbers, never rows.

`ExpectRowsToHold` and `ExpectMeasureToBeBetween` are plain aggregates, so that Great Expectations puts all of a suite
into one scan of the batch together with its own aggregates; the other two run one query each. Where there are too few
rows to judge, a rule passes and says so. Importing this module imports Great Expectations, which takes seconds: only
suites and the inside of `run_gate` do it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.compatibility.sqlalchemy import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.core import UnexpectedRowsExpectation
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial, metric_value
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.render import LegacyDiagnosticRendererType
from great_expectations.render.renderer.renderer import renderer

Outcome = dict[str, Any]
DIGITS = 9  # a statistic is rounded before it is compared, so that both engines agree


class _Aggregate(TableMetricProvider):  # type: ignore[misc]
    """A SQL aggregate over the batch; `expression` says which."""

    @metric_partial(  # type: ignore[untyped-decorator]
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,  # noqa: N805 - the decorators of Great Expectations hand in the class
        execution_engine: Any,
        metric_domain_kwargs: Any,
        metric_value_kwargs: Any,
        metrics: Any,
        runtime_configuration: Any,
    ) -> Any:
        return sa.literal_column(cls.expression(metric_value_kwargs)), metric_domain_kwargs, {}

    @classmethod
    def expression(cls, values: dict[str, Any]) -> str:
        raise NotImplementedError


class BatchMeasure(_Aggregate):
    """Any aggregate."""

    metric_name = "batch.measure"
    value_keys = ("measure",)

    @classmethod
    def expression(cls, values: dict[str, Any]) -> str:
        return f"({values['measure']})"


class BatchRowsJudged(_Aggregate):
    """Rows about which a condition says anything."""

    metric_name = "batch.rows_judged"
    value_keys = ("condition",)

    @classmethod
    def expression(cls, values: dict[str, Any]) -> str:
        return f"count(case when ({values['condition']}) is not null then 1 end)"


class BatchRowsAgainst(_Aggregate):
    """Rows that break a condition."""

    metric_name = "batch.rows_against"
    value_keys = ("condition",)

    @classmethod
    def expression(cls, values: dict[str, Any]) -> str:
        return f"count(case when not ({values['condition']}) then 1 end)"


class QueryMeasure(QueryMetricProvider):  # type: ignore[misc]
    """The one number that a query gives; `{batch}` stands for the batch."""

    metric_name = "query.measure"
    value_keys = ("query",)

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls,  # noqa: N805 - the decorators of Great Expectations hand in the class
        execution_engine: Any,
        metric_domain_kwargs: Any,
        metric_value_kwargs: Any,
        metrics: Any,
        runtime_configuration: Any,
    ) -> Any:
        batch, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        query = cls._get_substituted_batch_subquery_from_query_and_batch_selectable(
            query=metric_value_kwargs["query"], batch_selectable=batch, execution_engine=execution_engine
        )
        return execution_engine.execute_query(sa.text(query)).fetchone()[0]


class _Numbers(BatchExpectation):  # type: ignore[misc]
    """Shared reading of a measured number: bounds, rounding and what data docs show."""

    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def _between(self, value: Any) -> Outcome:
        number = None if value is None else round(float(value), DIGITS)
        low, high = self.min_value, self.max_value
        success = number is None or ((low is None or number >= low) and (high is None or number <= high))
        return {"success": success, "result": {"observed_value": number}}

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)  # type: ignore[untyped-decorator]
    def _diagnostic_observed_value_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None, **more: Any
    ) -> str:
        found = result.result if result is not None else {}
        if "observed_value" not in found:
            return "--"
        if found["observed_value"] is None:
            return "too few rows to judge"
        if "unexpected_count" in found:
            return f"{found['unexpected_count']:,} of {found['element_count']:,} rows break it"
        return f"{found['observed_value']:,g}"


class ExpectRowsToHold(_Numbers):
    """At least the share `mostly` of the rows for which `condition` is not null fulfil it; passes under `min_rows`."""

    condition: str
    mostly: float = 1.0
    min_rows: int = 1

    metric_dependencies: ClassVar[tuple[str, ...]] = ("batch.rows_judged", "batch.rows_against")
    success_keys: ClassVar[tuple[str, ...]] = ("condition", "mostly", "min_rows")

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Outcome:
        judged, against = int(metrics["batch.rows_judged"]), int(metrics["batch.rows_against"])
        if judged < self.min_rows:
            return {"success": True, "result": {"observed_value": None}}
        share = round(1 - against / judged, DIGITS)
        found = {
            "observed_value": share,
            "element_count": judged,
            "unexpected_count": against,
            "unexpected_percent": 100.0 * against / judged,
        }
        return {"success": share >= self.mostly and (self.mostly < 1 or against == 0), "result": found}


class ExpectMeasureToBeBetween(_Numbers):
    """A SQL aggregate over the batch lies between the bounds; null passes."""

    measure: str
    min_value: float | None = None
    max_value: float | None = None

    metric_dependencies: ClassVar[tuple[str, ...]] = ("batch.measure",)
    success_keys: ClassVar[tuple[str, ...]] = ("measure", "min_value", "max_value")

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Outcome:
        return self._between(metrics["batch.measure"])


class ExpectQueryToBeBetween(_Numbers):
    """The one number that a query over `{batch}` gives lies between the bounds; null passes."""

    query: str
    min_value: float | None = None
    max_value: float | None = None

    metric_dependencies: ClassVar[tuple[str, ...]] = ("query.measure",)
    success_keys: ClassVar[tuple[str, ...]] = ("query", "min_value", "max_value")

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Outcome:
        return self._between(metrics["query.measure"])


class ExpectNoRows(UnexpectedRowsExpectation):  # type: ignore[misc]
    """`UnexpectedRowsExpectation` that only counts: it reads no row, so that none can reach a result."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Outcome:
        count = int(metrics["unexpected_rows_query.row_count"])
        return {"success": count == 0, "result": {"observed_value": count, "unexpected_count": count}}
