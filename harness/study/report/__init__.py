"""`repro report`: from judgements and records to the pages of the site."""
