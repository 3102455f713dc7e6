package example.ledger.book;

import example.ledger.LedgerException;
import example.ledger.money.Money;

/** More was asked of an account than it has. */
public class InsufficientFundsException extends LedgerException {

    /** Names the account and what it lacks. */
    public InsufficientFundsException(AccountId account, Money missing) {
        super(account + " lacks " + missing);
    }
}
