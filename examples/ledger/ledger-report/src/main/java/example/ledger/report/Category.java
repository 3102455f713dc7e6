package example.ledger.report;

import example.ledger.book.Entry;
import java.util.List;
import java.util.Locale;

/** A kind of spending, told by words in the description. */
public record Category(String name, List<String> keywords) {

    public Category {
        keywords = List.copyOf(keywords);
    }

    /** Makes a category of a name and its words. */
    public static Category of(String name, String... keywords) {
        return new Category(name, List.of(keywords));
    }

    /** Says whether a text contains one of the words, in any case. */
    public boolean matches(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        return keywords.stream().anyMatch(word -> lower.contains(word.toLowerCase(Locale.ROOT)));
    }

    /** Says whether the description of an entry contains one of the words. */
    public boolean matches(Entry entry) {
        return matches(entry.description());
    }
}
