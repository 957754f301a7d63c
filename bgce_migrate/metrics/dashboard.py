"""A dashboard for Grafana, one panel for each metric of the table."""

from __future__ import annotations

import json

from bgce_migrate.metrics.table import BUILD_INFO, METRICS, Metric

_WIDTH, _HEIGHT, _PER_ROW = 8, 8, 3


def queries(metric: Metric) -> tuple[tuple[str, str], ...]:
    """What a metric's panel asks: PromQL and the legend."""
    legend = " ".join(f"{{{{{label}}}}}" for label in metric.labels) or metric.title
    where = '{service=~"$service"}' if "service" in metric.labels else ""
    if metric.kind == "histogram":
        rate = f"sum by (service, le) (increase({metric.name}_bucket{where}[$__range]))"
        return ((f"histogram_quantile(0.5, {rate})", f"{legend} p50"), (f"histogram_quantile(0.95, {rate})", f"{legend} p95"))
    factor = " * 1000" if metric.unit == "dateTimeFromNow" else ""
    return ((f"{metric.name}{where}{factor}", legend),)


def dashboard() -> str:
    """The JSON to import; its data source is chosen there."""
    panels = [_panel(number, metric) for number, metric in enumerate(METRICS)]
    page = {
        "title": "Database migrations",
        "uid": "bgce-migrate",
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_data_source(), _service()]},
        "panels": panels,
    }
    return json.dumps(page, indent=2) + "\n"


def _panel(number: int, metric: Metric) -> dict[str, object]:
    return {
        "id": number + 1,
        "title": metric.title,
        "description": metric.help,
        "type": "table" if metric is BUILD_INFO else "stat" if metric.unit == "dateTimeFromNow" else "timeseries",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {"defaults": {"unit": metric.unit}, "overrides": []},
        "gridPos": {
            "x": number % _PER_ROW * _WIDTH, "y": number // _PER_ROW * _HEIGHT, "w": _WIDTH, "h": _HEIGHT,
        },
        "targets": [
            {"refId": chr(ord("A") + n), "expr": expression, "legendFormat": legend}
            for n, (expression, legend) in enumerate(queries(metric))
        ],
    }  # fmt: skip


def _data_source() -> dict[str, object]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}


def _service() -> dict[str, object]:
    return {
        "name": "service", "type": "query", "label": "Service", "multi": True, "includeAll": True, "allValue": ".*",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": "label_values(db_migration_applied, service)",
    }  # fmt: skip
