package example.ledger.book;

import example.ledger.LedgerException;
import example.ledger.money.Money;

/** The debits of an entry differ from its credits. */
public class UnbalancedEntryException extends LedgerException {

    /** Names the entry and by how much its debits exceed its credits. */
    public UnbalancedEntryException(String description, Money difference) {
        super("entry '" + description + "' is out of balance by " + difference);
    }
}
