"""SQL that turns the Complete Journey's tables into canonical rows, each with `source_row`, its place in the package's file from 1."""

VIEWS = (
    "CREATE VIEW products_raw AS SELECT *, file_row_number + 1 AS source_row "
    "FROM read_parquet('{folder}/products.parquet', file_row_number = true)",
    "CREATE VIEW transactions_raw AS SELECT *, file_row_number + 1 AS source_row "
    "FROM read_parquet('{folder}/transactions.parquet', file_row_number = true)",
    "CREATE VIEW promotions_raw AS SELECT *, file_row_number + 1 AS source_row "
    "FROM read_parquet('{folder}/promotions.parquet', file_row_number = true)",
    "CREATE VIEW demographics_raw AS SELECT *, file_row_number + 1 AS source_row "
    "FROM read_parquet('{folder}/demographics.parquet', file_row_number = true)",
    "CREATE TABLE households AS SELECT household_id FROM (SELECT DISTINCT household_id FROM transactions_raw) {households}",
    """
    CREATE VIEW all_lines AS
    SELECT sold.*, greatest(sales_value - coupon_disc, 0) AS paid, sales_value + retail_disc + coupon_match_disc AS shelf,
        CASE WHEN product_type LIKE 'GASOLINE%' AND sales_value < quantity * 0.01 THEN quantity / 1000.0 ELSE quantity END AS units
    FROM transactions_raw AS sold
    LEFT JOIN (SELECT product_id, product_type FROM products_raw) AS product USING (product_id)
    """,
    "CREATE VIEW lines AS SELECT * FROM all_lines SEMI JOIN households USING (household_id)",
    "CREATE TABLE kept_products AS {products}",
    """
    CREATE MACRO display_place(code) AS CASE code WHEN '1' THEN 'store front' WHEN '2' THEN 'store rear' WHEN '3' THEN 'front end cap'
        WHEN '4' THEN 'mid-aisle end cap' WHEN '5' THEN 'rear end cap' WHEN '6' THEN 'side-aisle end cap' WHEN '7' THEN 'in-aisle'
        WHEN '9' THEN 'secondary location' WHEN 'A' THEN 'in-shelf' WHEN '0' THEN NULL ELSE 'code ' || code END
    """,
    """
    CREATE MACRO mailer_place(code) AS CASE code WHEN 'A' THEN 'interior page feature' WHEN 'C' THEN 'interior page line item'
        WHEN 'D' THEN 'front page feature' WHEN 'F' THEN 'back page feature' WHEN 'H' THEN 'wrap front feature'
        WHEN 'J' THEN 'wrap interior coupon' WHEN 'L' THEN 'wrap back feature' WHEN 'P' THEN 'interior page coupon'
        WHEN 'X' THEN 'free on interior page' WHEN 'Z' THEN 'free on front page, back page or wrap' WHEN '0' THEN NULL
        ELSE 'code ' || code END
    """,
)

ALL_PRODUCTS = "SELECT product_id FROM products_raw UNION SELECT product_id FROM promotions_raw"
BOUGHT_PRODUCTS = "SELECT DISTINCT product_id FROM lines"

EVENTS = """
    WITH counted AS (
        SELECT *, row_number() OVER (
            PARTITION BY household_id, basket_id, product_id, transaction_timestamp ORDER BY source_row
        ) AS line
        FROM lines
    )
    SELECT source_row,
        event_uuid(concat_ws('/', household_id, basket_id, product_id, epoch_us(transaction_timestamp), line)) AS event_id,
        'purchase' AS event_type,
        1::BIGINT AS schema_version,
        transaction_timestamp AT TIME ZONE 'UTC' AS occurred_at,
        transaction_timestamp AT TIME ZONE 'UTC' AS received_at,
        household_id::VARCHAR AS user_id,
        basket_id::VARCHAR AS session_id,
        product_id::VARCHAR AS item_id,
        units::DOUBLE AS quantity,
        round(paid / nullif(units, 0), 4)::DOUBLE AS unit_price,
        round((shelf - paid) / nullif(units, 0), 4)::DOUBLE AS unit_discount,
        'USD' AS currency,
        NULL::VARCHAR AS query,
        NULL::VARCHAR AS surface,
        NULL::VARCHAR AS request_id,
        NULL::BIGINT AS position,
        NULL::DOUBLE AS propensity,
        NULL::VARCHAR AS source,
        NULL::VARCHAR AS bundle,
        NULL::VARCHAR AS variant,
        NULL::BIGINT AS dwell_ms,
        'till' AS device,
        'store' AS channel,
        store_id::VARCHAR AS store_id,
        true AS consent,
        true AS consent_analytics
    FROM counted ORDER BY occurred_at, source_row
"""

ITEMS = """
    WITH sold AS (
        SELECT product_id, min(transaction_timestamp) AS first_sold, max(transaction_timestamp) AS last_sold
        FROM transactions_raw GROUP BY product_id
    ),
    prices AS (
        SELECT product_id, round(median(shelf / units), 2) AS price
        FROM all_lines JOIN sold USING (product_id)
        WHERE units > 0 AND transaction_timestamp > last_sold - INTERVAL 28 DAY GROUP BY product_id
    )
    SELECT source_row,
        product_id::VARCHAR AS item_id,
        names.title,
        names.category_path,
        brand || ' ' || manufacturer_id AS brand,
        price::DOUBLE AS price,
        CASE WHEN price IS NOT NULL THEN 'USD' END AS currency,
        NULL::DOUBLE AS margin,
        CASE WHEN first_sold IS NULL THEN 'out_of_stock' ELSE 'in_stock' END AS availability,
        first_sold AT TIME ZONE 'UTC' AS created_at,
        json_merge_patch('{}', json_object(
            'label', brand, 'manufacturer_id', manufacturer_id::VARCHAR,
            'package_size', product.package_size, 'till_name', product.product_type
        ))::VARCHAR AS attributes,
        NULL::VARCHAR AS image_url
    FROM products_raw AS product
    LEFT JOIN sold USING (product_id)
    LEFT JOIN prices USING (product_id)
    JOIN names ON names.product_type IS NOT DISTINCT FROM product.product_type AND names.department = product.department
        AND names.product_category IS NOT DISTINCT FROM product.product_category
        AND names.package_size IS NOT DISTINCT FROM product.package_size
    WHERE product_id IN (SELECT product_id FROM kept_products)
    ORDER BY source_row
"""

USERS = """
    SELECT coalesce(source_row, 0) AS source_row,
        household_id::VARCHAR AS user_id,
        NULL::TIMESTAMPTZ AS created_at,
        NULL::VARCHAR AS region,
        age AS age_band,
        income AS income_band,
        household_size,
        household_comp AS household_composition,
        json_merge_patch('{}', json_object(
            'home_ownership', home_ownership, 'marital_status', marital_status, 'kids_count', kids_count
        ))::VARCHAR AS attributes
    FROM households LEFT JOIN demographics_raw USING (household_id)
    ORDER BY household_id
"""

PROMOTIONS = """
    SELECT source_row,
        product_id::VARCHAR AS item_id,
        store_id::VARCHAR AS store_id,
        starts_at,
        ends_at,
        display_place(display_location) AS display,
        mailer_place(mailer_location) AS mailer
    FROM promotions_raw LEFT JOIN weeks USING (week)
    WHERE product_id IN (SELECT product_id FROM kept_products)
"""
