"""What the outside must be able to do, as Protocols. Vendors and storage stand behind them."""
