/** How a record in the page and the kernel's model of its gallery find each other, whichever comes first. */

const RECORD_SHOWN = "cometvid-record-shown"; // a record is in the page: cancelled by whoever takes its place
const RECORD_TAKEN = "cometvid-record-taken"; // the live gallery stands in its place
