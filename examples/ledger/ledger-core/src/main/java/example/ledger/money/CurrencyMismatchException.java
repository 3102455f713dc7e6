package example.ledger.money;

import example.ledger.LedgerException;

/** Two amounts that should share a currency do not. */
public class CurrencyMismatchException extends LedgerException {

    /** Names the currency that was expected and the one that came. */
    public CurrencyMismatchException(Currency expected, Currency actual) {
        super("expected " + expected + ", got " + actual);
    }
}
