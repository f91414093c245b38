"""Free attributes: stored as the text of a JSON object whose values are all texts."""

import duckdb
import polars as pl


def are_text_objects(texts: pl.Series) -> pl.Series:
    """Whether each text is a JSON object of texts, as Boolean; null stays null. DuckDB parses the distinct texts, all at once."""
    distinct = texts.unique().to_frame("text")
    with duckdb.connect() as connection:
        connection.register("texts", distinct.to_arrow())
        judged = pl.DataFrame(
            connection.sql(
                """
                SELECT text, CASE WHEN text IS NULL THEN NULL WHEN NOT json_valid(text) THEN false
                    ELSE json_type(text) = 'OBJECT' AND NOT list_contains(
                        list_transform(json_extract(text, '$.*'), lambda value: json_type(value) = 'VARCHAR'), false) END AS good
                FROM texts
                """
            ).to_arrow_table()
        )
    return texts.to_frame("text").join(judged, on="text", how="left", maintain_order="left", nulls_equal=True)["good"]
