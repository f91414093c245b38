"""What features are about: join keys shared by all views."""

from feast import Entity, ValueType

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.STRING, description="A customer or household.")
item = Entity(name="item", join_keys=["item_id"], value_type=ValueType.STRING, description="An item of the catalogue.")
session = Entity(name="session", join_keys=["session_id"], value_type=ValueType.STRING, description="A visit to the shop.")
