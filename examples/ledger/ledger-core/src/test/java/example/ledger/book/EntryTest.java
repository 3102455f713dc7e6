package example.ledger.book;

import static example.ledger.testing.EntryFixture.anEntry;
import static example.ledger.testing.LedgerAssertions.assertFails;
import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.Values.BANK;
import static example.ledger.testing.Values.CASH;
import static example.ledger.testing.Values.RENT;
import static example.ledger.testing.Values.day;
import static example.ledger.testing.Values.euros;
import static org.junit.jupiter.api.Assertions.assertFalse;

import example.ledger.money.Money;
import org.junit.jupiter.api.Test;

class EntryTest {

    @Test
    void of_failsWhenTheSidesDiffer() {
        Posting debit = Posting.debit(RENT, euros("800.00"));
        Posting credit = Posting.credit(BANK, euros("700.00"));

        assertFails(
                UnbalancedEntryException.class,
                "by 100.00 EUR",
                () -> Entry.of(day("2024-03-01"), "Rent", debit, credit));
    }

    @Test
    void total_countsTheDebitSideOnly() {
        Entry entry = anEntry().withAmount("25.00").build();

        Money actual = entry.total();

        assertMoney("25.00 EUR", actual);
    }

    @Test
    void touches_isFalseWithoutAPosting() {
        Entry entry = anEntry().from(BANK).to(RENT).build();

        assertFalse(entry.touches(CASH));
    }

    @Test
    void debitsOf_isNegativeForTheCreditSide() {
        Entry entry = anEntry().from(BANK).withAmount("25.00").build();

        Money actual = entry.debitsOf(BANK);

        assertMoney("-25.00 EUR", actual);
    }

    @Test
    void reversed_changesTheSides() {
        Entry entry = anEntry().from(BANK).withAmount("25.00").build();

        Entry actual = entry.reversed(day("2024-03-02"));

        assertMoney("25.00 EUR", actual.debitsOf(BANK));
    }
}
