package example.ledger.book;

import static example.ledger.testing.EntryFixture.anEntry;
import static example.ledger.testing.Values.CASH;
import static org.junit.jupiter.api.Assertions.assertEquals;

import example.ledger.time.DateRange;
import java.util.List;
import org.junit.jupiter.api.Test;

class JournalTest {

    private final Journal journal = new Journal();

    @Test
    void append_numbersFromOne() {
        int actual = journal.append(anEntry().build());

        assertEquals(1, actual);
    }

    @Test
    void entry_findsTheEntryOfANumber() {
        journal.append(anEntry().describedAs("Rent").build());
        journal.append(anEntry().describedAs("Bread").build());

        Entry actual = journal.entry(2);

        assertEquals("Bread", actual.description());
    }

    @Test
    void entries_keepsTheOrder() {
        Entry rent = anEntry().on("2024-03-02").build();
        Entry bread = anEntry().on("2024-03-01").build();
        journal.append(rent);
        journal.append(bread);

        List<Entry> actual = journal.entries();

        assertEquals(List.of(rent, bread), actual);
    }

    @Test
    void entries_picksTheDaysOfARange() {
        Entry march = anEntry().on("2024-03-31").build();
        Entry april = anEntry().on("2024-04-01").build();
        DateRange days = DateRange.ofMonth(2024, 4);
        journal.append(march);
        journal.append(april);

        List<Entry> actual = journal.entries(days);

        assertEquals(List.of(april), actual);
    }

    @Test
    void entriesOf_picksThoseOfAnAccount() {
        Entry bread = anEntry().from(CASH).build();
        journal.append(anEntry().build());
        journal.append(bread);

        List<Entry> actual = journal.entriesOf(CASH);

        assertEquals(List.of(bread), actual);
    }
}
