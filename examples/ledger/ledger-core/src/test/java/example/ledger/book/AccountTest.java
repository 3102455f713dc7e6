package example.ledger.book;

import static example.ledger.testing.AccountFixture.anAccount;
import static example.ledger.testing.LedgerAssertions.assertFails;
import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.LedgerAssertions.assertThatBalance;
import static example.ledger.testing.Values.BANK;
import static example.ledger.testing.Values.SALARY;
import static example.ledger.testing.Values.dollars;
import static example.ledger.testing.Values.euros;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.ledger.LedgerException;
import example.ledger.money.Money;
import example.ledger.policy.FlatFee;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class AccountTest {

    @Test
    void deposit_addsToTheBalance() {
        Account account = anAccount().withBalance("10.00").build();

        account.deposit(euros("5.00"));

        assertThatBalance(account).is("15.00 EUR");
    }

    @Test
    void deposit_takesTheCurrencyOfTheAccount() {
        Account account = anAccount().withBalance("10.00").build();

        account.deposit("2.50");

        assertThatBalance(account).is("12.50 EUR");
    }

    @Test
    void withdraw_takesFromTheBalance() {
        Account account = anAccount().withBalance("10.00").build();

        account.withdraw(euros("4.00"));

        assertThatBalance(account).is("6.00 EUR");
    }

    @Test
    void withdraw_failsWhenFundsAreMissing() {
        Account account = anAccount().withBalance("10.00").build();

        assertFails(
                InsufficientFundsException.class,
                "lacks 0.01 EUR",
                () -> account.withdraw(euros("10.01")));
    }

    @Test
    void withdraw_takesTheFeeToo() {
        Account account = anAccount().withBalance("10.00").build();

        account.withdraw(euros("4.00"), new FlatFee(euros("1.00")));

        assertThatBalance(account).is("5.00 EUR");
    }

    @Test
    void allowOverdraft_failsForANegativeLimit() {
        Account account = anAccount().build();

        assertFails(
                IllegalArgumentException.class,
                "no negative limit",
                () -> account.allowOverdraft(euros("-1.00")));
    }

    @Test
    void available_includesTheOverdraft() {
        Account account = anAccount().withBalance("10.00").withOverdraft("50.00").build();

        Money actual = account.available();

        assertMoney("60.00 EUR", actual);
    }

    @Test
    void canWithdraw_isTrueForAllThatIsAvailable() {
        Account account = anAccount().withBalance("10.00").withOverdraft("50.00").build();

        assertTrue(account.canWithdraw(euros("60.00")));
    }

    @Test
    void accepts_isFalseForAnotherCurrency() {
        Account account = anAccount().withId(BANK).build();

        assertFalse(account.accepts(Posting.debit(BANK, dollars("1.00"))));
    }

    @Test
    void apply_addsACreditToIncome() {
        Account account = anAccount().withId(SALARY).build();

        account.apply(Posting.credit(SALARY, euros("100.00")));

        assertThatBalance(account).is("100.00 EUR");
    }

    @Test
    void close_failsUnlessEmpty() {
        Account account = anAccount().withBalance("10.00").build();

        assertFails(LedgerException.class, "got 10.00 EUR", () -> account.close());
    }

    @Nested
    class WhenClosed {

        private final Account account = anAccount().closed().build();

        @Test
        void canWithdraw_isFalse() {
            assertFalse(account.canWithdraw(euros("0.00")));
        }

        @Test
        void deposit_fails() {
            assertFails(LedgerException.class, "is closed", () -> account.deposit("1.00"));
        }
    }
}
