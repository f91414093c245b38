"""The Spark job: the feature tables of a dataset that is too large for one machine."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from endcap.core.errors import EndcapError
from endcap.core.log import configure_logging, get_logger
from endcap.core.settings import load_settings
from endcap.features.computing import FeatureSummary, compute_features
from endcap.features.manifest import MANIFEST_NAME
from endcap.features.snapshots import FeatureOptions
from endcap.features.spark.engine import SparkEngine, TableFormat, check_format

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

APPLICATION = "endcap-features"


def main(argv: Sequence[str] | None = None) -> int:
    """Build the feature tables with the session that spark-submit configured; returns the exit code, which is the error's own.

    Example: spark-submit features_on_spark.py --data s3a://shop/data --out s3a://shop/features
    """
    given = _arguments(sys.argv[1:] if argv is None else argv)
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    session = open_session()
    try:
        options = FeatureOptions(
            test_weeks=given.test_weeks,
            ranking_windows=given.ranking_windows,
            low_rating=given.low_rating,
            ratings=not given.without_ratings,
        )
        build_on_spark(session, given.data, given.out, options, given.format)
    except EndcapError as error:
        get_logger("features").error("no features", error=str(error))
        return error.exit_code
    finally:
        session.stop()
    return 0


def open_session() -> "SparkSession":
    """Spark's session, with the formats that readers of the tables expect; everything else is spark-submit's."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName(APPLICATION).config("spark.sql.session.timeZone", "UTC")
    return builder.config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS").getOrCreate()


def build_on_spark(
    session: "SparkSession", data: str, out: str, options: FeatureOptions, table_format: TableFormat = "parquet"
) -> FeatureSummary:
    """Compute all feature tables of a dataset with Spark.

    Writes a folder of part files a table and `features.json` last. What is there goes first, `features.json` before all else: a folder
    without it is not finished.

    Args:
        session: from `open_session`.
        data: folder or address of the canonical dataset.
        out: folder or address for the tables.
        options: which snapshots are made.
        table_format: of the tables; Delta needs its library on Spark's class path.

    Raises:
        DataRejected: a required table is missing, unreadable or empty, the time range is too short, or the dataset has no fingerprint.
        DependencyUnavailable: Delta was asked for, and Spark was started without it.
    """
    from endcap.features.spark.folder import SparkFolder

    check_format(session, table_format)
    folder = SparkFolder(session, out)
    engine = SparkEngine(session, SparkFolder(session, data), folder, table_format)
    try:
        summary = compute_features(engine, options)
    finally:
        engine.release()
    folder.write_text(MANIFEST_NAME, summary.manifest.model_dump_json(indent=2) + "\n")
    get_logger("features").info("features built", cut=summary.manifest.cut.isoformat(), seconds=round(sum(summary.seconds.values()), 1))
    return summary


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="features_on_spark", description="Feature tables of a canonical dataset, computed on Spark.")
    parser.add_argument("--data", required=True, help="folder or address of the canonical dataset")
    parser.add_argument("--out", required=True, help="folder or address for the feature tables")
    parser.add_argument(
        "--test-weeks", type=_at_least_one, default=FeatureOptions.test_weeks, help="whole weeks at the end kept for evaluation"
    )
    parser.add_argument(
        "--ranking-windows", type=_at_least_one, default=FeatureOptions.ranking_windows, help="label windows the ranker learns from"
    )
    parser.add_argument("--low-rating", type=float, help="ratings up to this count against the item, as in the pipeline's signals")
    parser.add_argument("--without-ratings", action="store_true", help="ratings have the weight 0 in the pipeline's signals")
    parser.add_argument("--format", choices=("parquet", "delta"), default="parquet", help="of the tables")
    return parser.parse_args(argv)


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number
