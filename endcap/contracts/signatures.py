"""Names, shapes and dtypes of the two SavedModel signatures; the model server and the transformer agree here.

`encode_query` (n queries):

| input | dtype, shape | meaning |
| --- | --- | --- |
| `history` | int32 [n, 50] | item indices, newest last, padded with 0 at the front |
| `history_age_days` | float32 [n, 50] | age of each at the moment of the request, 0 where padded |
| `history_signal` | int32 [n, 50] | what happened to each: codes of `endcap.contracts.signals`, 0 where padded |
| `user_numeric` | float32 [n, len(USER_NUMERIC)] | raw values; the model normalises |
| `user_categories` | int32 [n, len(USER_CATEGORICAL)] | codes by the bundle's vocabularies, 0 unknown |
| `context` | int32 [n, 5] | CONTEXT |

| output | dtype, shape | meaning |
| --- | --- | --- |
| `embedding` | float32 [n, dim] | unit length; inner product with the item embeddings |
| `collection` | string [1] | the Milvus collection of the same bundle, so that no request searches another bundle's index |

`rank` (m candidates of n queries):

| input | dtype, shape | meaning |
| --- | --- | --- |
| `query_embedding` | float32 [n, dim] | from `encode_query` |
| `user_numeric`, `user_categories`, `context` | as above | |
| `query_row` | int32 [m] | which of the n queries a candidate belongs to |
| `item_index` | int32 [m] | the candidate |
| `item_numeric` | float32 [m, len(ITEM_NUMERIC)] | from the item table, fresh |
| `pair_numeric` | float32 [m, len(PAIR_NUMERIC)] | `endcap.engine.ranking.pair_features` |

| output | dtype, shape | meaning |
| --- | --- | --- |
| `buy`, `buy_again`, `cart`, `view` | float32 [m] | calibrated probabilities, of the objectives that the bundle was trained for |
"""

ENCODE_QUERY = "encode_query"
HISTORY_INPUTS = ("history", "history_age_days", "history_signal")
ENCODE_QUERY_INPUTS = (*HISTORY_INPUTS, "user_numeric", "user_categories", "context")
UNTYPED_QUERY_INPUTS = tuple(name for name in ENCODE_QUERY_INPUTS if name != "history_signal")
"""What bundles take that were made before types were told apart."""

RANK = "rank"
RANK_INPUTS = ("query_embedding", "user_numeric", "user_categories", "context", "query_row", "item_index", "item_numeric", "pair_numeric")
