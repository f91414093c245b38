"""The mappings under docs/examples/mappings import small files in the documented shapes of public data sets, quirks included."""

from pathlib import Path

import polars as pl
import pytest

from endcap.dataset.layout import Dataset
from endcap.dataset.sources.folder import import_folder
from endcap.dataset.sources.mapping import load_mapping

MAPPINGS = Path(__file__).parents[3] / "docs" / "examples" / "mappings"


def bring_in(folder: Path, mapping: str, files: dict[str, str | bytes], share: float = 0.0) -> Dataset:
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return import_folder(folder, MAPPINGS / f"{mapping}.yaml", folder / "data", share)[0]


def rows(dataset: Dataset, table: str, *columns: str) -> list[tuple]:
    return sorted(pl.read_parquet(dataset.table(table)).select(columns).rows(), key=str)


@pytest.mark.parametrize("file", sorted(MAPPINGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_example_loads(file: Path) -> None:
    assert load_mapping(file).source != "folder"


def test_retailrocket_gets_paths_prices_and_availability_as_of_its_last_event(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "retailrocket",
        {
            "events.csv": "timestamp,visitorid,event,itemid,transactionid\n"
            "1433221332117,257597,view,355908,\n1433224214164,257597,addtocart,355908,\n1433222276276,599528,transaction,248676,4000\n",
            "item_properties_part1.csv": "timestamp,itemid,property,value\n1431226800000,355908,categoryid,1016\n"
            "1431226800000,355908,790,n28320.000\n1431226800000,355908,364,n12 1285872\n1431226800000,248676,available,0\n",
            "item_properties_part2.csv": "timestamp,itemid,property,value\n1432226800000,355908,790,n30000.000\n"
            "1532226800000,355908,790,n99.000\n1431226800000,248676,categoryid,404\n",
            "category_tree.csv": "categoryid,parentid\n1016,213\n213,\n",
        },
    )
    assert rows(dataset, "items", "item_id", "title", "category_path", "availability", "price") == [
        ("248676", "248676", ["404"], "out_of_stock", None),
        ("355908", "355908", ["213", "1016"], "in_stock", 30000.0),
    ]
    assert rows(dataset, "events", "event_type", "user_id", "session_id") == [
        ("add_to_cart", "257597", "257597"),
        ("product_view", "257597", "257597"),
        ("purchase", "599528", "4000"),
    ]


def test_movielens_1m_is_read_with_its_double_colons_and_quotes(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "movielens-1m",
        {
            "movies.dat": '1::Toy Story (1995)::Animation|Children\'s|Comedy\n2::"Great" Misérables, Les (1995)::Drama\n'.encode("latin-1"),
            "users.dat": "1::F::1::10::48067\n2::M::56::16::70072\n",
            "ratings.dat": "1::1::5::978300760\n1::2::3::978302109\n2::2::4::978301968\n",
        },
    )
    assert rows(dataset, "items", "title", "category_path") == [
        ('"Great" Misérables, Les (1995)', ["Drama"]),
        ("Toy Story (1995)", ["Animation", "Children's", "Comedy"]),
    ]
    assert rows(dataset, "events", "user_id", "item_id") == [("1", "1"), ("2", "2")]
    assert rows(dataset, "users", "user_id", "age_band") == [("1", "under 18"), ("2", "56+")]


def test_movielens_as_csv_is_read(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "movielens-csv",
        {
            "movies.csv": 'movieId,title,genres\n1,"American President, The (1995)",Comedy|Drama\n2,None (2001),(no genres listed)\n',
            "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,3.5,964981247\n2,2,4.5,964982224\n",
        },
    )
    assert rows(dataset, "items", "title", "category_path") == [
        ("American President, The (1995)", ["Comedy", "Drama"]),
        ("None (2001)", []),
    ]
    assert dataset.rows["events"] == 2


def test_instacart_orders_get_days_from_the_days_between_them(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "instacart",
        {
            "orders.csv": "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,days_since_prior_order\n"
            "2539329,1,prior,1,2,08,\n2398795,1,prior,2,3,07,15.0\n1187899,1,train,3,4,08,14.0\n7,2,prior,1,0,23,\n9,3,test,1,0,1,\n",
            "order_products__prior.csv": "order_id,product_id,add_to_cart_order,reordered\n2539329,196,1,0\n2398795,196,1,1\n7,1,1,0\n",
            "order_products__train.csv": "order_id,product_id,add_to_cart_order,reordered\n1187899,196,1,1\n",
            "products.csv": "product_id,product_name,aisle_id,department_id\n196,Soda,77,7\n"
            '1,"Chocolate ""Sandwich"" Cookies, Small",61,19\n2,"Pump \\"Up\\" Sauce",61,404\n',
            "aisles.csv": "aisle_id,aisle\n77,soft drinks\n61,cookies cakes\n",
            "departments.csv": "department_id,department\n7,beverages\n19,snacks\n",
        },
    )
    assert rows(dataset, "items", "item_id", "title", "category_path") == [
        ("1", 'Chocolate "Sandwich" Cookies, Small', ["snacks", "cookies cakes"]),
        ("196", "Soda", ["beverages", "soft drinks"]),
        ("2", 'Pump "Up" Sauce', ["cookies cakes"]),
    ]
    moments = sorted((user, str(at)[:16]) for at, user in rows(dataset, "events", "occurred_at", "user_id"))
    assert moments == [("1", "2017-11-28 08:00"), ("1", "2017-12-13 07:00"), ("1", "2017-12-27 08:00"), ("2", "2017-12-30 23:00")]


def test_fashion_transactions_get_a_day_a_channel_and_a_path(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "h-and-m",
        {
            "articles.csv": "article_id,product_code,prod_name,product_type_name,product_group_name,graphical_appearance_name,"
            "colour_group_name,index_group_name,section_name,garment_group_name,detail_desc\n"
            "0108775015,0108775,Strap top,Vest top,Garment Upper body,Solid,Black,Ladieswear,Womens,Jersey,"
            '"Jersey top, narrow straps."\n',
            "customers.csv": "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code\n"
            "abc,,,ACTIVE,NONE,49.0,52043e\n",
            "transactions_train.csv": "t_dat,customer_id,article_id,price,sales_channel_id\n"
            "2018-09-20,abc,0108775015,0.0508,2\n2018-09-20,abc,0108775015,0.0508,2\n2018-09-21,d,0108775015,0.03,1\n",
        },
    )
    assert rows(dataset, "items", "item_id", "category_path") == [("0108775015", ["Ladieswear", "Garment Upper body", "Vest top"])]
    assert rows(dataset, "events", "item_id", "channel", "unit_price") == [
        ("0108775015", "store", 0.03),
        ("0108775015", "web", 0.0508),
        ("0108775015", "web", 0.0508),
    ]
    assert rows(dataset, "users", "user_id", "attributes") == [("abc", '{"club_member_status":"ACTIVE"}')]


def test_reviews_as_json_lines_are_purchases_of_what_was_liked(tmp_path: Path) -> None:
    meta = (
        '{"main_category": "All Beauty", "title": "Lip balm", "average_rating": 4.8, "features": [], "price": "None", "store": null,'
        ' "images": [{"thumb": "t"}], "categories": ["Beauty", "Lips"], "details": {"Color": "Red"}, "parent_asin": "B01"}\n'
        '{"main_category": "All Beauty", "title": "", "average_rating": 1, "store": "Own", "categories": [], "parent_asin": "B02"}\n'
    )
    review = '{{"rating": {}, "text": "a\\nb", "images": [], "asin": "X", "parent_asin": "{}", "user_id": "AE", "timestamp": {}}}\n'
    reviews = review.format("5.0", "B01", 1588687728923) + review.format("1.0", "B02", 1588687728924)
    dataset = bring_in(tmp_path, "amazon-reviews-2023", {"meta_All_Beauty.jsonl": meta, "All_Beauty.jsonl": reviews})
    assert rows(dataset, "items", "item_id", "title", "category_path", "brand") == [
        ("B01", "Lip balm", ["Beauty", "Lips"], None),
        ("B02", "B02", ["All Beauty"], "Own"),
    ]
    assert rows(dataset, "events", "user_id", "item_id") == [("AE", "B01")]


def test_views_and_purchases_of_sessions_without_customers_are_read(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "diginetica",
        {
            "products.csv": "itemId;pricelog2;product.name.tokens\n1;10;4875,776,56689\n2;8;7\n",
            "product-categories.csv": "itemId;categoryId\n1;802\n2;100\n",
            "train-item-views.csv": "sessionId;userId;itemId;timeframe;eventdate\n1;NA;1;526309;2016-05-09\n2;9;2;1031018;2016-05-09\n",
            "train-purchases.csv": "sessionId;userId;timeframe;eventdate;ordernumber;itemId\n150;18278;17100868;2016-05-06;16421;2\n",
        },
    )
    assert rows(dataset, "items", "item_id", "category_path") == [("1", ["802"]), ("2", ["100"])]
    assert rows(dataset, "events", "event_type", "user_id", "item_id") == [
        ("product_view", "9", "2"),
        ("product_view", None, "1"),
        ("purchase", "18278", "2"),
    ]


def test_receipts_with_cancellations_make_items_and_returns(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "online-retail-ii",
        {
            "Year 2009-2010.csv": "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
            "489434,85048,15CM CHRISTMAS GLASS BALL 20 LIGHTS,12,2009-12-01 07:45:00,6.95,13085.0,United Kingdom\n"
            "489434,79323P,PINK CHERRY LIGHTS,12,2009-12-01 07:45:00,6.75,13085.0,United Kingdom\n"
            "C489449,85048,15CM CHRISTMAS GLASS BALL 20 LIGHTS,-2,2009-12-01 10:33:00,6.95,13085,Australia\n"
            "489464,79323P,damages,-96,2009-12-01 10:52:00,0.0,,United Kingdom\n"
            "A506401,B,Adjust bad debt,1,2010-04-29 13:36:00,-53594.36,,United Kingdom\n"
            "489597,79323P,PINK CHERRY LIGHTS,1,2009-12-01 14:28:00,8.65,,United Kingdom\n",
        },
    )
    assert rows(dataset, "items", "item_id", "title", "price") == [
        ("79323P", "PINK CHERRY LIGHTS", 8.65),
        ("85048", "15CM CHRISTMAS GLASS BALL 20 LIGHTS", 6.95),
    ]
    assert rows(dataset, "events", "event_type", "user_id", "quantity") == [
        ("purchase", "13085", 12.0),
        ("purchase", "13085", 12.0),
        ("purchase", None, 1.0),
        ("return", "13085", 2.0),
        ("return", None, 96.0),
    ]
    assert (dataset.returns, dataset.unmatched_returns) == (2, 1)


def test_visits_without_people_or_headers_are_views_and_purchases(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "yoochoose",
        {
            "yoochoose-clicks.dat": "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,S\n"
            "2,2014-04-07T13:56:37.614Z,214662742,2\n",
            "yoochoose-buys.dat": "1,2014-04-07T10:58:00.000Z,214536500,1046,1\n2,2014-04-07T14:00:00.000Z,214821371,0,0\n",
        },
    )
    assert rows(dataset, "items", "item_id", "category_path", "price") == [
        ("214536500", ["S"], 1046.0),
        ("214536502", [], None),
        ("214662742", ["2"], None),
        ("214821371", [], None),
    ]
    assert rows(dataset, "events", "event_type", "session_id", "unit_price")[-2:] == [("purchase", "1", 1046.0), ("purchase", "2", None)]


def test_groceries_with_days_and_line_totals_get_a_basket_a_day(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "ta-feng",
        {
            "ta_feng_all_months_merged.csv": '"TRANSACTION_DT","CUSTOMER_ID","AGE_GROUP","PIN_CODE","PRODUCT_SUBCLASS","PRODUCT_ID",'
            '"AMOUNT","ASSET","SALES_PRICE"\n"11/1/2000","01104905","45-49","115","110411","4710199010372","2","24","30"\n'
            '"11/1/2000","01104905","45-49","115","110411","4710265849066","1","40","48"\n'
            '"11/12/2000","01104905","45-49","115","110411","4710199010372","1","12","16"\n',
        },
    )
    assert rows(dataset, "items", "item_id", "price") == [("4710199010372", None), ("4710265849066", None)]
    baskets = rows(dataset, "events", "session_id", "unit_price")
    assert baskets == [("01104905 11/1/2000", 15.0), ("01104905 11/1/2000", 48.0), ("01104905 11/12/2000", 16.0)]


def test_numbered_days_and_clock_times_without_a_colon_become_moments(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "dunnhumby",
        {
            "transaction_data.csv": "household_key,BASKET_ID,DAY,PRODUCT_ID,QUANTITY,SALES_VALUE,STORE_ID,RETAIL_DISC,TRANS_TIME,WEEK_NO,"
            "COUPON_DISC,COUPON_MATCH_DISC\n2375,26984851472,1,1004906,2,2.78,364,-0.6,1631,1,0,0\n"
            "2375,26984851472,1,1033142,0,0,364,0,1631,1,0,0\n1364,42302712006,711,1004906,1,1.39,31642,0,5,102,0,0\n",
            "product.csv": "PRODUCT_ID,MANUFACTURER,DEPARTMENT,BRAND,COMMODITY_DESC,SUB_COMMODITY_DESC,CURR_SIZE_OF_PRODUCT\n"
            "1004906,69,PRODUCE,Private,POTATOES,POTATOES RUSSET (BULK&BAG),5 LB\n1033142,2,PRODUCE,National,ONIONS,ONIONS SWEET,40 LB\n"
            "26081,3,GROCERY,National, , , \n",
            "hh_demographic.csv": "AGE_DESC,MARITAL_STATUS_CODE,INCOME_DESC,HOMEOWNER_DESC,HH_COMP_DESC,HOUSEHOLD_SIZE_DESC,"
            "KID_CATEGORY_DESC,household_key\n65+,A,35-49K,Homeowner,2 Adults No Kids,2,None/Unknown,2375\n",
            "coupon.csv": "COUPON_UPC,PRODUCT_ID,CAMPAIGN\n10000089061,1004906,4\n10000089061,1004906,4\n",
            "campaign_desc.csv": "DESCRIPTION,CAMPAIGN,START_DAY,END_DAY\nTypeB,4,2,7\n",
        },
    )
    assert rows(dataset, "items", "item_id", "title", "category_path", "brand") == [
        ("1004906", "POTATOES RUSSET (BULK&BAG)", ["PRODUCE", "POTATOES"], "69"),
        ("1033142", "ONIONS SWEET", ["PRODUCE", "ONIONS"], "2"),
        ("26081", "26081", ["GROCERY"], "3"),
    ]
    moments = sorted(
        (user, f"{at:%Y-%m-%d %H:%M}", price) for user, at, price in rows(dataset, "events", "user_id", "occurred_at", "unit_price")
    )
    assert moments == [("1364", "2017-12-31 05:05", 1.39), ("2375", "2016-01-21 21:31", 1.39)]
    assert rows(dataset, "users", "user_id", "age_band", "household_size") == [("2375", "65+", "2")]
    assert [f"{at:%Y-%m-%d %H:%M}" for at in rows(dataset, "promotions", "starts_at", "ends_at")[0]] == [
        "2016-01-22 05:00",
        "2016-01-27 05:00",
    ]


def test_events_of_many_categories_are_read_and_copies_count_once(tmp_path: Path) -> None:
    log = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
    view = "2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,,shiseido,35.79,541312140,72d76fde-8bb3-4e00-8c23-a032dfed738c\n"
    dataset = bring_in(
        tmp_path,
        "rees46",
        {
            "2019-Oct.csv": log
            + view
            + view
            + "2019-10-01 00:00:01 UTC,cart,1004856,2053013555631882655,electronics.smartphone,samsung,130.76,"
            "543272936,8187d148-3c41-46d4-9b0c-9c08cd9dc564\n2019-10-01 00:02:14 UTC,purchase,1004856,2053013555631882655,"
            "electronics.smartphone,samsung,130.76,543272936,8187d148-3c41-46d4-9b0c-9c08cd9dc564\n",
        },
    )
    assert rows(dataset, "items", "item_id", "title", "category_path", "brand") == [
        ("1004856", "1004856", ["electronics", "smartphone"], "samsung"),
        ("44600062", "44600062", [], "shiseido"),
    ]
    assert rows(dataset, "events", "event_type", "unit_price") == [("add_to_cart", None), ("product_view", None), ("purchase", 130.76)]
    assert dataset.copies == {"events": 1}


def test_visits_a_line_with_their_events_inside_are_taken_apart(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "otto",
        {
            "otto-recsys-train.jsonl": '{"session":0,"events":[{"aid":1517085,"ts":1659304800025,"type":"clicks"},'
            '{"aid":1563459,"ts":1659304904511,"type":"carts"},{"aid":1563459,"ts":1659304999999,"type":"orders"}]}\n'
            '{"session":1,"events":[{"aid":1517085,"ts":1659304900025,"type":"clicks"}]}\n'
        },
    )
    assert rows(dataset, "items", "item_id") == [("1517085",), ("1563459",)]
    assert rows(dataset, "events", "event_type", "session_id") == [
        ("add_to_cart", "0"),
        ("product_view", "0"),
        ("product_view", "1"),
        ("purchase", "0"),
    ]


def test_items_of_which_only_events_know_come_from_the_events(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        "retailrocket",
        {
            "events.csv": "timestamp,visitorid,event,itemid,transactionid\n1433221332117,1,view,7,\n1433221332118,1,view,8,\n",
            "item_properties_part1.csv": "timestamp,itemid,property,value\n1431226800000,7,available,0\n1431226800000,7,categoryid,5\n",
            "category_tree.csv": "categoryid,parentid\n5,\n",
        },
    )
    assert rows(dataset, "items", "item_id", "category_path", "availability") == [("7", ["5"], "out_of_stock"), ("8", [], "in_stock")]


def test_diginetica_views_keep_their_order_and_nobody(tmp_path: Path) -> None:
    views = (
        "session_id;user_id;item_id;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n1;NA;31331;1000;2016-05-09\n2;7;31331;0;2016-05-10\n"
    )
    dataset = bring_in(tmp_path, "diginetica-views", {"item-views.csv": views})
    assert dataset.rows == {"items": 2, "events": 3}
    events = pl.read_parquet(dataset.table("events")).sort("occurred_at")
    assert events.select("session_id", "user_id", "item_id").rows() == [("1", None, "31331"), ("1", None, "81766"), ("2", "7", "31331")]
