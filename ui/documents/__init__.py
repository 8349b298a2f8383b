"""The page's documents: list, queue of uploads, what is known of each; texts, rendering and the routes behind them."""
