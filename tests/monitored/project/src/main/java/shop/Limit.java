package shop;

public @interface Limit {
    String NONE = "none";
}
