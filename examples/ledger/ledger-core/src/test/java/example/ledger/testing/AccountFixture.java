package example.ledger.testing;

import static example.ledger.testing.Values.BANK;
import static example.ledger.testing.Values.euros;

import example.ledger.book.Account;
import example.ledger.book.AccountId;
import example.ledger.money.Currency;

/** Builds accounts; an empty bank account in euros unless told otherwise. */
public final class AccountFixture {

    private AccountId id = BANK;
    private String balance = "0";
    private String overdraft = "0";
    private boolean closed;

    private AccountFixture() {}

    public static AccountFixture anAccount() {
        return new AccountFixture();
    }

    public AccountFixture withId(AccountId id) {
        this.id = id;
        return this;
    }

    public AccountFixture withBalance(String euros) {
        this.balance = euros;
        return this;
    }

    public AccountFixture withOverdraft(String euros) {
        this.overdraft = euros;
        return this;
    }

    public AccountFixture closed() {
        this.closed = true;
        return this;
    }

    public Account build() {
        Account account = new Account(id, Currency.EUR);
        account.allowOverdraft(euros("1000000.00"));
        if (euros(balance).isNegative()) {
            account.withdraw(euros(balance).negate());
        } else if (!euros(balance).isZero()) {
            account.deposit(euros(balance));
        }
        account.allowOverdraft(euros(overdraft));
        if (closed) {
            account.close();
        }
        return account;
    }
}
