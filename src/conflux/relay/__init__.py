"""Floor 2: the way of a request. Read it in this order: gateway, identify, admit, attempt, answer, account."""
