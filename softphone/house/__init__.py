"""What a desk says to its house's service, and what it does with the answers. It never imports the service (`softphone.team`)."""
