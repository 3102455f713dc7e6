package example.ledger.book;

import example.ledger.LedgerException;
import example.ledger.money.Currency;
import example.ledger.money.Money;
import example.ledger.policy.FeePolicy;

/** An account with its balance; the balance is positive on the account's normal side. */
public final class Account {

    private final AccountId id;
    private final AccountType type;
    private Money balance;
    private Money overdraft;
    private boolean closed;

    /** Opens an account with nothing in it; the path tells its type. */
    public Account(AccountId id, Currency currency) {
        this.id = id;
        this.type = AccountType.of(id);
        this.balance = Money.zero(currency);
        this.overdraft = Money.zero(currency);
    }

    /** Returns the place in the chart of accounts. */
    public AccountId id() {
        return id;
    }

    /** Returns the kind of account. */
    public AccountType type() {
        return type;
    }

    /** Returns what the account holds. */
    public Money balance() {
        return balance;
    }

    /** Says whether the account has been closed. */
    public boolean isClosed() {
        return closed;
    }

    /** Lets the balance fall below zero, down to a limit. */
    public void allowOverdraft(Money limit) {
        if (limit.isNegative()) {
            throw new IllegalArgumentException("expected no negative limit, got " + limit);
        }
        overdraft = limit;
    }

    /** Returns what can be withdrawn, the overdraft included. */
    public Money available() {
        return balance.plus(overdraft);
    }

    /** Says whether an amount can be withdrawn. */
    public boolean canWithdraw(Money amount) {
        return !closed && amount.compareTo(available()) <= 0;
    }

    /** Adds an amount above zero to the balance. */
    public void deposit(Money amount) {
        requireOpen();
        requirePositive(amount);
        balance = balance.plus(amount);
    }

    /** Adds an amount in the account's own currency. */
    public void deposit(String amount) {
        deposit(Money.of(amount, balance.currency()));
    }

    /** Takes an amount above zero from the balance; fails when more is asked than is available. */
    public void withdraw(Money amount) {
        requireOpen();
        requirePositive(amount);
        if (!canWithdraw(amount)) {
            throw new InsufficientFundsException(id, amount.minus(available()));
        }
        balance = balance.minus(amount);
    }

    /** Takes an amount and the fee for it. */
    public void withdraw(Money amount, FeePolicy policy) {
        withdraw(policy.totalFor(amount));
    }

    /** Says whether a posting is meant for this account, in its currency, while it is open. */
    public boolean accepts(Posting posting) {
        return !closed
                && posting.account().equals(id)
                && posting.amount().currency() == balance.currency();
    }

    /** Changes the balance by a posting that the account accepts. */
    public void apply(Posting posting) {
        if (!accepts(posting)) {
            throw new LedgerException(id + " does not accept " + posting);
        }
        balance = balance.plus(type.growth(posting.debits()));
    }

    /** Returns how much of the overdraft is in use; zero while the balance is not negative. */
    public Money overdraftUsed() {
        if (balance.isNegative()) {
            return balance.negate();
        }
        return Money.zero(balance.currency());
    }

    /** Closes the account; it must be empty. */
    public void close() {
        if (!balance.isZero()) {
            throw new LedgerException("expected an empty account, got " + balance);
        }
        closed = true;
    }

    private void requireOpen() {
        if (closed) {
            throw new LedgerException(id + " is closed");
        }
    }

    private static void requirePositive(Money amount) {
        if (amount.isNegative() || amount.isZero()) {
            throw new IllegalArgumentException("expected an amount above zero, got " + amount);
        }
    }
}
