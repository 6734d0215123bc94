"""Windows of cost, cost per month, cost per member, and why the arms differ."""
