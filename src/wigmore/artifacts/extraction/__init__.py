"""Reports that extraction programs of the trade write: items as the vendor decoded them."""
