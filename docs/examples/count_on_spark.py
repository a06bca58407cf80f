"""Count a partner's bulk records by municipality on Spark: the same function as `tact count`, and the same numbers.

    python count_on_spark.py RECORDS OUTPUT [COLUMN ...]

RECORDS is a folder of Parquet files that Spark reads, with the columns longitude and latitude (degrees, WGS 84) and
those to count by. OUTPUT is a folder of CSV files: area, categories, records. The counts are exact: do not publish
them. It needs pyspark (Apache-2.0), and on each worker this product in the same version. The checks of the project
do not run it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

from data.restricted.bulk_counts import Columns, count_batch
from geo.areas import load_areas
from geo.point_index import PointIndex


def main(records: str, output: str, by: list[str]) -> None:
    """Count the records and write the sums."""
    spark = SparkSession.builder.appName("tact count").getOrCreate()
    columns, index = Columns(tuple(by)), spark.sparkContext.broadcast(PointIndex.of_areas(load_areas()))

    def count_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the counts of each batch: no record and no point leaves the worker that read it."""
        for batch in batches:
            yield from count_batch(batch, columns, index.value).tabulate(columns.by).to_batches()

    schema = ", ".join(["area string", *(f"`{name}` string" for name in by), "records long"])
    counts = spark.read.parquet(records).select(*columns.types).mapInArrow(count_batches, schema)
    sums = counts.groupBy("area", *by).agg(sf.sum("records").alias("records"))
    sums.write.csv(output, header=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
