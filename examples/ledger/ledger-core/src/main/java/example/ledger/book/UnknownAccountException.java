package example.ledger.book;

import example.ledger.LedgerException;

/** An account was named that the ledger does not have. */
public class UnknownAccountException extends LedgerException {

    /** Names the account. */
    public UnknownAccountException(AccountId account) {
        super("no such account: " + account);
    }
}
