/// The committed fixtures, found from where this file stands, so that tests run from any folder.
package enum Fixtures {
    /// `Tests/Fixtures`, without a slash at its end.
    package static let folder: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        return parts.joined(separator: "/") + "/Fixtures"
    }()

    package static func path(_ name: String) -> String { folder + "/" + name }
}
