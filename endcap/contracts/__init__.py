"""The contracts every part of endcap shares; schemas, columns and API documents are derived from these."""
