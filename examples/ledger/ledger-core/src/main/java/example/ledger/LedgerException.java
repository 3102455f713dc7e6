package example.ledger;

/** A rule of bookkeeping was broken; the message says what was expected and what came. */
public class LedgerException extends RuntimeException {

    /** Creates an exception with a message for the person who keeps the books. */
    public LedgerException(String message) {
        super(message);
    }
}
