"""One outside system each; foreign exceptions are translated here."""
