"""Steps as jobs of a scheduler: submit and leave, look, collect, cancel."""
