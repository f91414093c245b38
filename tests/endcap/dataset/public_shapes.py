"""Small shops in the shapes in which public data sets are published, made of numbers: by set, each file's name and text."""

from collections.abc import Callable

PEOPLE, ITEMS, LINES = 12, 20, 120
_MS = 1_659_304_800_000


def _table(header: str, row: Callable[[int], str], rows: int = LINES) -> str:
    return (header + "\n" if header else "") + "".join(row(n) + "\n" for n in range(rows))


def _day(n: int) -> str:
    return f"2019-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}"


def _item(n: int) -> int:
    return 1000 + n * 7 % ITEMS


def _item_numbered(n: int) -> int:
    return 1000 + n


SHAPES: dict[str, dict[str, str]] = {
    "online-retail-ii": {
        "Year 2009-2010.csv": _table(
            "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
            lambda n: (
                f"{'C' if n % 10 == 9 else ''}{489434 + n // 2},{_item(n)},LANTERN {_item(n)},{-1 if n % 10 == 9 else 6},"
                f"{_day(n)} 08:26:00,2.55,{f'{13000 + n % PEOPLE}.0' if n % 7 else ''},United Kingdom"
            ),
        )
    },
    "retailrocket": {
        "events.csv": _table(
            "timestamp,visitorid,event,itemid,transactionid",
            lambda n: f"{_MS + n * 60_000},{n % PEOPLE},{('view', 'addtocart', 'transaction')[n % 3]},{_item(n)},{n if n % 3 == 2 else ''}",
        ),
        "item_properties_part1.csv": _table(
            "timestamp,itemid,property,value",
            lambda n: (
                f"{_MS},{_item_numbered(n % ITEMS)},{('categoryid', 'available', '790')[n // ITEMS]},{(404, 1, 'n12.000')[n // ITEMS]}"
            ),
            3 * ITEMS,
        ),
        "category_tree.csv": "categoryid,parentid\n404,21\n21,\n",
    },
    "yoochoose": {
        "yoochoose-clicks.dat": _table("", lambda n: f"{n // 4},{_day(n // 4)}T10:51:09.277Z,{_item(n)},{n % 12}"),
        "yoochoose-buys.dat": _table("", lambda n: f"{n // 4},{_day(n // 4)}T11:51:09.277Z,{_item(n)},{100 + n},1"),
    },
    "diginetica": {
        "products.csv": _table("itemId;pricelog2;product.name.tokens", lambda n: f"{_item_numbered(n)};10;48,7,{n}", ITEMS),
        "product-categories.csv": _table("itemId;categoryId", lambda n: f"{_item_numbered(n)};{n % 5}", ITEMS),
        "train-item-views.csv": _table(
            "sessionId;userId;itemId;timeframe;eventdate",
            lambda n: f"{n // 4};{n % PEOPLE if n % 2 else 'NA'};{_item(n)};{526309 + n};{_day(n)}",
        ),
        "train-purchases.csv": _table(
            "sessionId;userId;timeframe;eventdate;ordernumber;itemId",
            lambda n: f"{n // 4};{n % PEOPLE};{526309 + n};{_day(n)};{n};{_item(n)}",
        ),
    },
    "otto": {
        "otto-recsys-train.jsonl": _table(
            "",
            lambda n: (
                f'{{"session":{n},"events":[{{"aid":{_item(n)},"ts":{_MS + n},"type":"clicks"}},'
                f'{{"aid":{_item(n)},"ts":{_MS + n + 5},"type":"{("carts", "orders")[n % 2]}"}}]}}'
            ),
        )
    },
    "instacart": {
        "orders.csv": _table(
            "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,days_since_prior_order",
            lambda n: f"{9000 - n},{n // 3},{('prior', 'prior', 'train')[n % 3]},{n % 3 + 1},{n % 7},0{n % 9},{'7.0' if n % 3 else ''}",
            3 * PEOPLE,
        ),
        "order_products__prior.csv": _table(
            "order_id,product_id,add_to_cart_order,reordered", lambda n: f"{9000 - n % (3 * PEOPLE)},{_item(n)},{n // 40 + 1},{n % 2}"
        ),
        "order_products__train.csv": _table(
            "order_id,product_id,add_to_cart_order,reordered", lambda n: f"{9000 - n},{_item(n + 1)},9,0", PEOPLE
        ),
        "products.csv": _table(
            "product_id,product_name,aisle_id,department_id",
            lambda n: f'{_item_numbered(n)},"Cookies ""small"", {n}",{n % 7},{n % 7 // 3}',
            ITEMS,
        ),
        "aisles.csv": _table("aisle_id,aisle", lambda n: f"{n},aisle {n}", 9),
        "departments.csv": _table("department_id,department", lambda n: f"{n},department {n}", 4),
    },
    "h-and-m": {
        "articles.csv": _table(
            "article_id,product_code,prod_name,product_type_name,product_group_name,colour_group_name,index_group_name,detail_desc",
            lambda n: (
                f'010877{_item_numbered(n)},0108{n // 2:03},Strap top {n},Vest top,Garment Upper body,Black,Ladieswear,"Top, narrow."'
            ),
            ITEMS,
        ),
        "customers.csv": _table(
            "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code",
            lambda n: f"c{n:02}aa,,,ACTIVE,NONE,{20 + n}.0,52043e",
            PEOPLE,
        ),
        "transactions_train.csv": _table(
            "t_dat,customer_id,article_id,price,sales_channel_id",
            lambda n: f"{_day(n)},c{n % PEOPLE:02}aa,010877{_item(n)},0.05083{n % 10},{n % 2 + 1}",
        ),
    },
    "movielens-1m": {
        "movies.dat": _table("", lambda n: f"{_item_numbered(n)}::Toy Story {n} (1995)::Animation|Children's|Comedy", ITEMS),
        "users.dat": _table("", lambda n: f"{n}::{'FM'[n % 2]}::{(1, 18, 25)[n % 3]}::10::{48000 + n}", PEOPLE),
        "ratings.dat": _table("", lambda n: f"{n % PEOPLE}::{_item(n)}::{n % 5 + 1}::{978300760 + n}"),
    },
    "movielens-csv": {
        "movies.csv": _table("movieId,title,genres", lambda n: f'{_item_numbered(n)},"President, The {n} (1995)",Comedy|Drama', ITEMS),
        "ratings.csv": _table("userId,movieId,rating,timestamp", lambda n: f"{n % PEOPLE},{_item(n)},{n % 5 + 0.5},{964982703 + n}"),
        "tags.csv": _table("userId,movieId,tag,timestamp", lambda n: f"{n % PEOPLE},{_item(n)},funny,{964982703 + n}", 9),
        "links.csv": _table("movieId,imdbId,tmdbId", lambda n: f"{_item_numbered(n)},0114{n},8{n}", ITEMS),
    },
    "amazon-reviews-2023": {
        "meta_All_Beauty.jsonl": _table(
            "",
            lambda n: (
                f'{{"main_category": "All Beauty", "title": "Lip balm {n}", "average_rating": 4.8, "features": [], "price": "None", '
                f'"store": "Own", "images": [{{"thumb": "t"}}], "categories": ["Beauty"], "details": {{"Color": "Red"}}, '
                f'"parent_asin": "B{_item_numbered(n)}"}}'
            ),
            ITEMS,
        ),
        "All_Beauty.jsonl": _table(
            "",
            lambda n: (
                f'{{"rating": {n % 5 + 1}.0, "title": "good", "text": "a", "images": [], "asin": "X{n}", '
                f'"parent_asin": "B{_item(n)}", "user_id": "AE{n % PEOPLE}", "timestamp": {_MS + n}}}'
            ),
        ),
    },
    "ta-feng": {
        "ta_feng_all_months_merged.csv": _table(
            '"TRANSACTION_DT","CUSTOMER_ID","AGE_GROUP","PIN_CODE","PRODUCT_SUBCLASS","PRODUCT_ID","AMOUNT","ASSET","SALES_PRICE"',
            lambda n: (
                f'"11/{n % 28 + 1}/2000","011{n % PEOPLE:05}","45-49","115","{110000 + n * 7 % ITEMS % 4}","471{_item(n)}",'
                f'"{n % 3 + 1}","24","{30 * (n % 3 + 1)}"'
            ),
        )
    },
    "dunnhumby": {
        "transaction_data.csv": _table(
            "household_key,BASKET_ID,DAY,PRODUCT_ID,QUANTITY,SALES_VALUE,STORE_ID,RETAIL_DISC,TRANS_TIME,WEEK_NO,COUPON_DISC,COUPON_MATCH_DISC",
            lambda n: f"{n % PEOPLE},{26984851472 + n // 2},{n + 1},{_item(n)},2,2.78,364,-0.6,{n % 24}{n % 60:02},{n // 7 + 1},0,0",
        ),
        "product.csv": _table(
            "PRODUCT_ID,MANUFACTURER,DEPARTMENT,BRAND,COMMODITY_DESC,SUB_COMMODITY_DESC,CURR_SIZE_OF_PRODUCT",
            lambda n: f"{_item_numbered(n)},69,PRODUCE,Private,POTATOES,POTATOES RUSSET {n},5 LB",
            ITEMS,
        ),
        "hh_demographic.csv": _table(
            "AGE_DESC,MARITAL_STATUS_CODE,INCOME_DESC,HOMEOWNER_DESC,HH_COMP_DESC,HOUSEHOLD_SIZE_DESC,KID_CATEGORY_DESC,household_key",
            lambda n: f"65+,A,35-49K,Homeowner,2 Adults No Kids,2,None/Unknown,{n}",
            PEOPLE,
        ),
        "campaign_desc.csv": _table("DESCRIPTION,CAMPAIGN,START_DAY,END_DAY", lambda n: f"TypeB,{n},{n * 7 + 1},{n * 7 + 8}", 5),
        "campaign_table.csv": _table("DESCRIPTION,household_key,CAMPAIGN", lambda n: f"TypeB,{n},{n % 5}", PEOPLE),
        "coupon.csv": _table("COUPON_UPC,PRODUCT_ID,CAMPAIGN", lambda n: f"1000008{n},{_item_numbered(n)},{n % 5}", ITEMS),
        "coupon_redempt.csv": _table("household_key,DAY,COUPON_UPC,CAMPAIGN", lambda n: f"{n % PEOPLE},{n + 1},1000008{n},{n % 5}", 9),
        "causal_data.csv": _table("PRODUCT_ID,STORE_ID,WEEK_NO,display,mailer", lambda n: f"{_item(n)},364,{n // 20 + 9},0,A", 40),
    },
    "rees46": {
        "2019-Oct.csv": _table(
            "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session",
            lambda n: (
                f"{_day(n)} 00:00:00 UTC,{('view', 'cart', 'purchase')[n % 3]},{_item(n)},2053,{'electronics.phone' if n % 2 else ''},"
                f"acme,35.79,{n % PEOPLE},72d76fde-8bb3-{n // 3:04}"
            ),
        )
    },
}
