// Gives the identity of foundation.bicep its permissions of Microsoft Graph, which read the directory and change nothing. Needs Bicep
// 0.36.1 or later, the extension that bicepconfig.json names, and a person with AppRoleAssignment.ReadWrite.All and Application.Read.All
// (a Privileged Role Administrator). docs/setup.md has the same as commands of the Azure CLI.
extension microsoftGraphV1

targetScope = 'resourceGroup'

@description('Object id of the identity: the output identityPrincipalId of foundation.bicep.')
param principalId string

@description('Application permissions of Microsoft Graph. docs/setup.md says which settings need which.')
param permissions string[] = ['User.Read.All', 'Application.Read.All', 'GroupMember.Read.All']

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource assignments 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for permission in permissions: {
    principalId: principalId
    resourceId: graph.id
    appRoleId: filter(graph.appRoles, role => role.value == permission)[0].id
  }
]
