"""What the operator reads and changes of KServe's and the gateway's objects."""
