package example.ledger.book;

import static example.ledger.testing.AccountFixture.anAccount;
import static example.ledger.testing.EntryFixture.anEntry;
import static example.ledger.testing.LedgerAssertions.assertFails;
import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.LedgerAssertions.assertThatBalance;
import static example.ledger.testing.LedgerFixture.aLedger;
import static example.ledger.testing.Values.BANK;
import static example.ledger.testing.Values.CASH;
import static example.ledger.testing.Values.RENT;
import static example.ledger.testing.Values.day;
import static example.ledger.testing.Values.euros;

import example.ledger.LedgerException;
import example.ledger.money.Currency;
import example.ledger.money.Money;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class LedgerTest {

    @Test
    void open_failsForAPathThatIsTaken() {
        Ledger ledger = aLedger().build();
        Account another = anAccount().withId(BANK).build();

        assertFails(LedgerException.class, "assets:bank", () -> ledger.open(another));
    }

    @Test
    void account_failsForAnUnknownPath() {
        Ledger ledger = aLedger().build();

        assertFails(
                UnknownAccountException.class,
                "assets:gold",
                () -> ledger.account(AccountId.of("assets:gold")));
    }

    @Test
    void post_movesTheBalances() {
        Ledger ledger = aLedger().withBank("100.00").build();

        ledger.post(anEntry().from(BANK).to(RENT).withAmount("80.00").build());

        assertThatBalance(ledger.account(BANK)).is("20.00 EUR");
        assertThatBalance(ledger.account(RENT)).is("80.00 EUR");
    }

    @Test
    void post_failsForAClosedAccount() {
        Ledger ledger = aLedger().build();
        ledger.account(CASH).close();

        assertFails(
                LedgerException.class,
                "assets:cash does not accept",
                () -> ledger.post(anEntry().from(CASH).build()));
    }

    @Test
    void transfer_movesTheAmount() {
        Ledger ledger = aLedger().withBank("10.00").build();

        ledger.transfer(BANK, CASH, euros("4.00"), day("2024-03-01"));

        assertThatBalance(ledger.account(CASH)).is("4.00 EUR");
    }

    @Test
    void transfer_failsWhenFundsAreMissing() {
        Ledger ledger = aLedger().withBank("10.00").build();

        assertFails(
                InsufficientFundsException.class,
                "lacks 5.00 EUR",
                () -> ledger.transfer(BANK, CASH, euros("15.00"), day("2024-03-01")));
    }

    @Test
    void balanceOf_goesBackToADay() {
        Ledger ledger = aLedger()
                .withBank("100.00")
                .with(anEntry().on("2024-03-01").withAmount("10.00"))
                .with(anEntry().on("2024-03-02").withAmount("20.00"))
                .build();

        Money actual = ledger.balanceOf(BANK, day("2024-03-01"));

        assertMoney("90.00 EUR", actual);
    }

    @Test
    void totalOf_addsUpTheAccountsOfAType() {
        Ledger ledger = aLedger().withBank("100.00").build();
        ledger.account(CASH).deposit("5.00");

        Money actual = ledger.totalOf(AccountType.ASSET, Currency.EUR);

        assertMoney("105.00 EUR", actual);
    }

    @Nested
    class AfterATransfer {

        private final Ledger ledger = aLedger().withBank("100.00").build();

        @BeforeEach
        void transfer() {
            ledger.transfer(BANK, CASH, euros("30.00"), day("2024-03-01"));
        }

        @Test
        void balanceOf_isLowerAtTheSource() {
            Money actual = ledger.balanceOf(BANK);

            assertMoney("70.00 EUR", actual);
        }

        @Test
        void reverse_takesTheTransferBack() {
            ledger.reverse(1, day("2024-03-02"));

            assertThatBalance(ledger.account(CASH)).is("0.00 EUR");
        }

        @Test
        void trialBalance_listsAllAccounts() {
            TrialBalance actual = ledger.trialBalance(Currency.EUR);

            assertMoney("100.00 EUR", actual.debits());
        }
    }
}
